"""Files whose names are not UTF-8, from the video to the tracks and the drawing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import read_poses
from ptfast.structures import Poses
from ptfast.viz import write_video

NOT_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_videos_of_any_name_are_tracked_and_drawn(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / NOT_UTF8
    folder.mkdir()
    video, out, render = (
        folder / f"{name}{NOT_UTF8}{end}" for name, end in (("in", ".mp4"), ("a", suffix), ("b", ".mp4"))
    )
    write_video([np.zeros((96, 128, 3), np.uint8)] * 3, video)
    done = subprocess.run(
        [sys.executable, "-m", "ptfast", "track", "--method", "detect-and-track", video, "-o", out, "--render", render],
        capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"written to " in done.stdout and b"caf\\udce9" in done.stdout
    assert sorted(os.listdir(folder)) == sorted(path.name for path in (video, out, render))
    poses = read_poses(out)
    assert isinstance(poses, Poses) and len(poses) == 3
