"""The project's papers agree with each other, with the code and with what was built."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ptfast
from ptfast import _native

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULES = sorted((ROOT / "ptfast").rglob("*.py"))
SOURCES = [
    path
    for folder in ("ptfast", "csrc", "tests", "benchmarks", ".ci")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".pyi", ".h", ".cpp", ".cu"}
]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_versions_agree() -> None:
    version = PROJECT["project"]["version"]
    newest = re.search(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)
    cited = re.search(r"^version: (.+)$", read("CITATION.cff"), re.MULTILINE)
    assert newest and cited
    assert {ptfast.__version__, _native.version, newest[1], cited[1]} == {version}


def test_sdist_carries_what_the_build_needs() -> None:
    manifest = read("MANIFEST.in")
    assert re.search(r"^graft csrc$", manifest, re.MULTILINE)
    assert re.search(r"^include .*\bCMakeLists\.txt\b", manifest, re.MULTILINE)


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in MODULES}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


def pinned() -> dict[str, str]:
    lines = [line for line in read("constraints.txt").splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def dependencies(requirements: list[str]) -> Iterator[Requirement]:
    """The requirements that hold on this machine without extras."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def test_constraints_pin_every_development_dependency() -> None:
    versions = pinned()
    waiting = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    waiting += [entry for extra in PROJECT["project"]["optional-dependencies"].values() for entry in extra]
    seen: set[str] = {"ptfast"}
    while waiting:
        for requirement in dependencies([waiting.pop()]):
            name = canonicalize_name(requirement.name)
            if name in seen:
                continue
            seen.add(name)
            assert name in versions, f"constraints.txt lacks {name}"
            assert requirement.specifier.contains(versions[name], prereleases=True), f"{requirement}: {versions[name]}"
            try:
                waiting += [str(inner).split(";")[0] for inner in dependencies(requires(name) or [])]
            except PackageNotFoundError:
                continue


def test_constraints_are_exact_and_of_no_local_build() -> None:
    exact = re.compile(r"[\d.]+(\.?(post|rc|b)\d+)?")  # a b: sphinx-basic-ng, which furo needs, has no final version
    assert [name for name, version in pinned().items() if not exact.fullmatch(version)] == []


def test_commit_hooks_are_local() -> None:
    assert set(re.findall(r"repo: (\S+)", read(".pre-commit-config.yaml"))) == {"local"}


def project_files() -> list[Path]:
    """Every file that git tracks or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("the tests do not stand in a git checkout")
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def test_no_file_names_a_machine() -> None:
    personal = re.compile(
        rb"(?<![\w.})])/(?:root|home|work|opt|tmp|Users)/\w|\b(?:pypi|pythonhosted|download\.pytorch)\.org(?!/models/)"
    )
    found = [(path.name, match[0]) for path in project_files() if (match := personal.search(path.read_bytes()))]
    assert found == []


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_targets_that_the_makefile_has(document: str) -> None:
    code = "\n".join(re.findall(r"```\w*\n.*?```|`[^`\n]+`", read(document), re.DOTALL))
    named = set(re.findall(r"^(?:[A-Z_]+=\S+ )*make ([a-z-]+)|`make ([a-z-]+)", code, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE))
    assert named
    assert {first or second for first, second in named} - targets == set()


def test_reports_of_the_sanitizers_are_not_caught() -> None:
    """They end the process, and what pytest had caught of stderr would be lost."""
    (recipe,) = re.findall(r"^sanitize:.*?\n\n", read("Makefile"), re.MULTILINE | re.DOTALL)
    assert "-m pytest" in recipe and "--capture=sys" in recipe


def test_readme_names_commands_that_ptfast_has() -> None:
    code = "\n".join(re.findall(r"```sh\n(.*?)```", read("README.md"), re.DOTALL))
    named = sorted(set(re.findall(r"^(?:\.venv/bin/)?ptfast ([a-z]+)", code, re.MULTILINE)))
    assert named
    for command in named:
        result = subprocess.run([sys.executable, "-m", "ptfast", command, "--help"], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


def test_public_names_are_there_for_type_checkers_and_at_run_time() -> None:
    tree = ast.parse(read("ptfast/__init__.py"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert declared == set(ptfast.__all__)
    assert [name for name in ptfast.__all__ if getattr(ptfast, name, None) is None] == []


@pytest.mark.parametrize("module", ["ptfast", "ptfast.dropin.sklearn", "ptfast.synthetic", "ptfast.viz"])
def test_completion_offers_the_public_names_before_they_are_loaded(module: str) -> None:
    code = f"import {module}; print(set({module}.__all__) - set(dir({module})))"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_public_names_have_docstrings(path: Path) -> None:
    tree = ast.parse(path.read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    public = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    assert ast.get_docstring(tree)
    assert [node.name for node in public if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    if path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 50, f"{node.name} has {lines} lines"
