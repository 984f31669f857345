"""The README's programs: what they print, and that a type checker accepts them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_example_prints_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    printed = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert printed
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAMS[0], "README.md", "exec"), {})
    assert capsys.readouterr().out == printed[1]


def test_type_checker_accepts_the_programs(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    assert len(PROGRAMS) > 1
    for number, program in enumerate(PROGRAMS):
        (tmp_path / f"program_{number}.py").write_text(program)
    options = [
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        f"--cache-dir={ROOT / '.mypy_cache' / 'readme'}",
    ]
    command = [sys.executable, "-m", "mypy", *options, *sorted(map(str, tmp_path.iterdir()))]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
