"""The programs in examples/ run and say what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from peers import peer

from ptfast import read_poses

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path) -> list[str]:
    """The lines that an example prints."""
    done = subprocess.run([sys.executable, str(EXAMPLES / name)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_tracker_loop(tmp_path: Path) -> None:
    assert run("tracker_loop.py", tmp_path) == ["5 people, 5 tracks, 0 switches", "torch loaded: False"]


def test_supervision_keypoints(tmp_path: Path) -> None:
    """Eleven people come by, and four cross to either side: the scene's own numbers."""
    peer("supervision")
    [line] = run("supervision_keypoints.py", tmp_path)
    assert line == "11 tracks; 4 crossed the middle to one side, 4 to the other"


def test_keypoint_rcnn(tmp_path: Path) -> None:
    peer("torchvision.models.detection")
    [line] = run("keypoint_rcnn.py", tmp_path)
    assert line.endswith("posetrack_15) -> tracks.json")
    assert len(read_poses(tmp_path / "tracks.json")) == 6


def test_every_example_has_a_test() -> None:
    tests = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'run("{path.name}"' not in tests] == []
