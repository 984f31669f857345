"""Runs other libraries' own tests twice, as they are and with ptfast swapped in, and writes docs/peers.md.

`make peers` makes the environments. Exits 1 if a test differs between the two runs without a reason in suites.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from suites import SUITES, Suite

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "peers"
PAGE = ROOT / "docs" / "peers.md"
HEAD = """# Other libraries' tests

`make peers` runs tests that other libraries ship in their distributions, once as they are and once with the drop-ins
swapped in. This page is what it wrote.

- Calls are those of the drop-ins: of functions, and of classes to make an instance. Where there are none, the tests
  reach nothing that is swapped, and say no more than that the swap does them no harm.
- Tests that are not passed without the drop-ins were skipped, fail beside the versions of other packages that are
  installed, or want files from the network, which is not used.
- Some distributions hold few tests or none. torchmetrics 1.9.0 has none, and supervision 0.31.2 has those of its names
  and of deprecated arguments: of both, the examples in docstrings are run. trackers has none after 2.5.0.
  ultralytics' tests of `kpt_iou` want weights from the network, and are not run.

| Library | Tests | Run | Calls | Passed without | Passed with | Differ |
|---|---|---|---|---|---|---|
"""
_VERSION = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]), end='')"
_HOME = "import sys, importlib.util as u; print(u.find_spec(sys.argv[1]).submodule_search_locations[0], end='')"


@dataclass(frozen=True)
class Run:
    """One run of a suite: passed, failed or skipped by the name of each test, and calls of drop-ins."""

    outcomes: dict[str, str]
    calls: int


def python_of(suite: Suite) -> Path:
    return BUILD / suite.requirements / "bin" / "python"


def version_of(suite: Suite) -> str:
    return _said(suite, _VERSION, suite.package)


def _said(suite: Suite, code: str, argument: str) -> str:
    """What a program prints in the suite's environment."""
    return subprocess.run([python_of(suite), "-c", code, argument], check=True, capture_output=True, text=True).stdout


def unpack(suite: Suite, folder: Path) -> Path:
    """Fetches the suite's source distribution, unless it is there, and gives its folder within the one given."""
    version = version_of(suite)
    archive = BUILD / "sdists" / f"{suite.package}-{version}.tar.gz"
    if not archive.exists():
        options = ["--quiet", "--no-deps", "--no-binary", suite.package, "--dest", archive.parent]
        subprocess.run([python_of(suite), "-m", "pip", "download", *options, f"{suite.package}=={version}"], check=True)
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / f"{suite.package}-{version}"


def run(suite: Suite, swapped: bool) -> Run:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = unpack(suite, folder) if suite.is_sdist else Path(_said(suite, _HOME, suite.module))
        report = folder / "report.xml"
        command = [python_of(suite), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *suite.options]
        command += [f"--junitxml={report}", f"--rootdir={folder}", f"--confcutdir={home}"]
        command += [home / path for path in suite.paths]
        if swapped:
            command += ["-p", "swapped"]
        paths = [*([home] if suite.is_sdist else []), ROOT, Path(__file__).parent]
        environment = _environment(paths, folder) | {"PTFAST_PEERS": suite.swapped}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"{suite.package}'s tests did not run:\n{done.stdout}\n{done.stderr}")
        return read(report)


def _environment(paths: list[Path], folder: Path) -> dict[str, str]:
    """Variables for tests to import from paths, and to leave the network and the user's files alone."""
    quiet = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(folder), "HOME": str(folder)}
    return os.environ | quiet | {"PYTHONPATH": os.pathsep.join(map(str, paths))}


def read(report: Path) -> Run:
    root = ElementTree.parse(report).getroot()
    outcomes = {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in root.iter("testcase")}
    calls = [int(each.get("value", 0)) for each in root.iter("property") if each.get("name") == "calls"]
    return Run(outcomes, sum(calls))


def _outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"


def compare(suite: Suite) -> tuple[str, list[str], list[str]]:
    """The suite's row of the table, its documented differences, and those without a reason."""
    without, with_ours = run(suite, False), run(suite, True)
    names = sorted(without.outcomes.keys() | with_ours.outcomes.keys())
    differ = [name for name in names if without.outcomes.get(name) != with_ours.outcomes.get(name)]
    known, unknown = [], []
    for name in differ:
        reason = next((text for end, text in suite.reasons if name.endswith(end)), None)
        line = (
            f"{suite.package}: `{name}`, {without.outcomes.get(name)} without and {with_ours.outcomes.get(name)} with"
        )
        (known if reason else unknown).append(f"- {line}: {reason or 'no reason is known'}.")
    passed = [list(each.outcomes.values()).count("passed") for each in (without, with_ours)]
    cells = f"{suite.package} {version_of(suite)}", _tests(suite), len(names), with_ours.calls, *passed, len(differ)
    return "| " + " | ".join(map(str, cells)) + " |", known, unknown


def _tests(suite: Suite) -> str:
    start = "" if suite.is_sdist else f"{suite.module}/"
    paths = ", ".join(f"`{start}{path}`" for path in suite.paths)
    kind = "examples of " if "--doctest-modules" in suite.options else "of the sdist: " if suite.is_sdist else ""
    return kind + paths + (f" with `{' '.join(suite.options)}`" if "-k" in suite.options else "")


def main() -> int:
    chosen = [suite for suite in SUITES if not sys.argv[1:] or suite.package in sys.argv[1:]]
    results = [compare(suite) for suite in chosen]
    known, unknown = ([line for result in results for line in result[part]] for part in (1, 2))
    text = HEAD + "\n".join(row for row, _, _ in results) + "\n"
    if known or unknown:
        text += "\n## Differences\n\n" + "\n".join(known + unknown) + "\n"
    if chosen == list(SUITES):
        PAGE.write_text(text)
    print(text)
    return bool(unknown)


if __name__ == "__main__":
    sys.exit(main())
