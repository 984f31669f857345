"""A few hundred mutated files are read rightly or refused in one line; `make fuzz` reads 10,000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


@pytest.mark.parametrize("seed", [1])
def test_mutated_files_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(RUN),
        "--files",
        "600",
        "--seed",
        str(seed),
        "--seconds",
        "60",
        "--keep",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert " 0 faults" in done.stdout
