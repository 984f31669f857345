"""The pages of docs/ agree with the code: their examples run, and their tables name all that is there."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import ptfast
from ptfast import ops
from ptfast.cli import main
from ptfast.io import FORMATS

DOCS = Path(__file__).parents[1] / "docs"
if not DOCS.exists():
    pytest.skip("the pages do not come with the sdist", allow_module_level=True)

MAX_COST = 0.95  # a constant for a signature
NETWORKS = {"clip-tracking", "detect-and-track", "keytrack", "simple-baselines"}  # whose examples need videos
EXAMPLE = re.compile(r"(<!-- not run: .+ -->\n)?```python\n(.*?)```", re.DOTALL)


def read(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


def examples(page: str) -> str:
    """A page's Python, one example after the other, without those that are marked as not run."""
    return "\n".join(code for marked, code in EXAMPLE.findall(read(page)) if not marked)


PAGES = [path.stem for path in sorted(DOCS.glob("*.md")) if path.stem not in NETWORKS and examples(path.stem)]


@pytest.mark.parametrize("page", PAGES)
def test_examples_run_and_print_what_their_comments_say(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    if "pandas" in examples(page):
        pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    exec(compile(examples(page), f"{page}.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    claimed = re.findall(r"^print\(.*\)  # (.+)$", examples(page), re.MULTILINE)
    assert [line for line in claimed if line not in printed] == []


def test_examples_are_found() -> None:
    assert {"quickstart", "poses", "linking", "operations"} <= set(PAGES)


def test_command_line_page_has_every_command(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.MULTILINE)
    assert commands
    assert re.findall(r"^```\{command-help\} (\S+)$", read("command-line"), re.MULTILINE) == commands


def first_cells(page: str) -> str:
    return "\n".join(re.findall(r"^\| ([^|]+) \|", read(page), re.MULTILINE))


def test_operations_page_lists_every_operation() -> None:
    assert set(re.findall(r"`(\w+)`", first_cells("operations"))) == set(ops.__all__)


def test_file_formats_page_lists_every_format() -> None:
    assert set(FORMATS) <= set(re.findall(r"`(\w+)`", first_cells("files")))


def test_drop_ins_page_lists_every_function() -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\(.+\) \| .* \| (.+) \|$", read("drop-ins"), re.MULTILINE)
    assert rows
    for module, names in rows:
        assert set(re.findall(r"`(\w+)`", names)) == set(importlib.import_module(f"ptfast.dropin.{module}").__all__)


@pytest.mark.parametrize("function", [ptfast.link, ptfast.OnlineLinker])
def test_linking_page_has_every_setting_and_its_default(function: Callable) -> None:
    stated = dict(re.findall(r"^`(\w+)=(.+)`$", first_cells("linking"), re.MULTILINE))
    in_prose = re.findall(rf"^`{function.__name__}\((\w+)=\.\.\.\)`", read("linking"), re.MULTILINE)
    settings = [each for each in inspect.signature(function).parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert stated == {each.name: repr(each.default).replace("'", '"') for each in settings if each.name not in in_prose}


@pytest.fixture(scope="module")
def docstrings() -> ModuleType:
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location("plain_docstrings", DOCS / "extensions" / "plain_docstrings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("plain", "rst"),
    [
        ("1 - |C| / |H| of a *.pth", r"1 - \|C\| / \|H\| of a \*.pth"),
        ("What `a * b_` is, and b_.", r"What `a * b_` is, and b\_."),
        ("Args:\n    *parts: One.\n    joints: K.", "Args:\n    *parts: One.\n    joints: K\\."),
        ("Returns:\n    (N,) int64: where\n    it is.", ":returns: (N,) int64: where\n    it is."),
        ("Source:\n    Lin et al.", ":source: Lin et al."),
        ("Does.\n\n    f(*a)\n\n    g()\n\nThen.", "Does.\n\n.. code-block:: python\n\n    f(*a)\n\n    g()\n\nThen."),
        ("Example:\n    >>> f(*a)", "Example:\n    >>> f(*a)"),
        ("Args:\n    a: One.\n\n    b: Two.", "Args:\n    a: One.\n\n    b: Two."),
    ],
)
def test_docstrings_are_plain_text(docstrings: ModuleType, plain: str, rst: str) -> None:
    assert "\n".join(docstrings.to_rst(plain.split("\n"))).rstrip() == rst


def test_defaults_in_signatures_are_numbers(docstrings: ModuleType) -> None:
    signature = "(a=MAX_COST, b: float = MAX_COST, c: Skeleton = COCO_17, d: dict = <factory>)"
    module = sys.modules[__name__]
    assert docstrings.readable_defaults(signature, module) == (
        "(a=MAX_COST, b: float = 0.95, c: Skeleton = COCO_17, d: dict = ...)"
    )


def test_each_bar_of_the_benchmarks_chart_is_named_by_itself() -> None:
    """Its names are the table's captions, which read as "the same, likewise" where only the table is ordered."""
    captions = re.findall(r"^\| ([^|]+) \| [\d.,]+ [mun]?s \|", read("benchmarks"), re.MULTILINE)
    assert len(captions) == len(set(captions)) > 20
    leaning = [caption for caption in captions if re.search(r"^the same|likewise|the same$|of these", caption, re.I)]
    assert leaning == []
