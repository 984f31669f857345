"""Runs other libraries' own tests twice, as they are and with ptfast swapped in, and writes docs/peers.md.

`make peers` makes the environment. Exits 1 if a test differs between the two runs without a reason below.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "peers.md"
HEAD = """# Other libraries' tests

`make peers` runs tests that other libraries ship in their distributions, once as they are and once with the drop-ins
swapped in. This page is what it wrote. Tests that fail without the drop-ins, too, fail beside the versions of other
packages that are installed.

| Library | Tests | Run | Passed without | Passed with | Differ |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Suite:
    """Tests of a library.

    Attributes:
        package: Its name in the registry.
        module: The module beside which the tests lie.
        paths: Files or folders of tests, from the module's folder.
        swapped: What is swapped: a name for patched, or motmetrics.
        reasons: Why a test differs, by the end of its name.
    """

    package: str
    module: str
    paths: tuple[str, ...]
    swapped: str
    reasons: tuple[tuple[str, str], ...] = ()


SUITES = (
    Suite("scipy", "scipy", ("optimize/tests/test_linear_assignment.py",), "scipy"),
    Suite("scikit-learn", "sklearn", ("cluster/tests/test_mean_shift.py",), "sklearn"),
    Suite("lap", "lap", ("tests",), "lap"),
    Suite("motmetrics", "motmetrics", ("tests",), "motmetrics"),
)


def outcomes(suite: Suite, swapped: bool) -> dict[str, str]:
    """passed, failed or skipped by the name of each test."""
    spec = find_spec(suite.module)
    assert spec and spec.submodule_search_locations
    home = Path(spec.submodule_search_locations[0])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
        command += [f"--junitxml={report}", f"--rootdir={folder}", f"--confcutdir={home}"]
        command += [str(home / path) for path in suite.paths]
        paths = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
        environment = os.environ | {"PYTHONPATH": paths, "PTFAST_PEERS": suite.swapped}
        if swapped:
            command += ["-p", "swapped"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"{suite.package}'s tests did not run:\n{done.stdout}\n{done.stderr}")
        return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in _cases(report)}


def _cases(report: Path) -> list[ElementTree.Element]:
    return list(ElementTree.parse(report).iter("testcase"))


def _outcome(case: ElementTree.Element) -> str:
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"


def compare(suite: Suite) -> tuple[str, list[str], list[str]]:
    """The suite's row of the table, its documented differences, and those without a reason."""
    without, with_ours = outcomes(suite, False), outcomes(suite, True)
    names = sorted(without.keys() | with_ours.keys())
    differ = [name for name in names if without.get(name) != with_ours.get(name)]
    known, unknown = [], []
    for name in differ:
        reason = next((text for end, text in suite.reasons if name.endswith(end)), None)
        line = f"{suite.package}: `{name}`, {without.get(name)} without and {with_ours.get(name)} with"
        (known if reason else unknown).append(f"- {line}: {reason or 'no reason is known'}.")
    passed = [list(each.values()).count("passed") for each in (without, with_ours)]
    paths = ", ".join(f"`{suite.module}/{path}`" for path in suite.paths)
    cells = f"{suite.package} {version(suite.package)}", paths, len(names), *passed, len(differ)
    return "| " + " | ".join(map(str, cells)) + " |", known, unknown


def main() -> int:
    results = [compare(suite) for suite in SUITES]
    known, unknown = ([line for result in results for line in result[part]] for part in (1, 2))
    text = HEAD + "\n".join(row for row, _, _ in results) + "\n"
    if known or unknown:
        text += "\n## Differences\n\n" + "\n".join(known + unknown) + "\n"
    PAGE.write_text(text)
    print(text)
    return bool(unknown)


if __name__ == "__main__":
    sys.exit(main())
