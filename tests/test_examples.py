"""The programs in examples/ run and say what they promise."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast import read_poses
from ptfast.synthetic import render

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
    found, warning = run("keypoint_rcnn.py", tmp_path)
    assert re.fullmatch(r"[1-9]\d* boxes in 6 frames; 0 people tracked -> tracks.json", found)
    assert warning.startswith("The detector's weights are random, and so are its boxes: --pretrained")
    assert len(read_poses(tmp_path / "tracks.json")) == 6


def test_keypoint_rcnn_that_knows_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the boxes of the two people who are drawn in place of random ones, both are tracked throughout."""
    peer("torchvision.models.detection")
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(EXAMPLES)
    example = importlib.import_module("keypoint_rcnn")
    people = render(seed=1, frames=6, people=2, size=(192, 192)).poses
    known = iter([people.frame(frame).boxes for frame in range(6)])

    class Knowing(torch.nn.Module):
        def forward(self, images: list[Any]) -> list[dict[str, Any]]:
            assert [tuple(image.shape) for image in images] == [(3, 192, 192)]
            boxes = torch.from_numpy(next(known))
            return [{"boxes": boxes, "scores": torch.ones(len(boxes))}]

    monkeypatch.setattr(example, "keypointrcnn_resnet50_fpn", lambda **options: Knowing())
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        example.main(["--output", str(tmp_path / "tracks.json"), "--pretrained"])
    assert output.getvalue() == f"12 boxes in 6 frames; 2 people tracked -> {tmp_path / 'tracks.json'}\n"
    tracks = read_poses(tmp_path / "tracks.json")
    assert tracks.track_ids.tolist() == [0, 1] * 6
    middles = [(poses.boxes[:, :2] + poses.boxes[:, 2:]) / 2 for poses in (tracks, people)]
    np.testing.assert_allclose(*middles, atol=8)  # pixels, of people 60 to 90 high


def test_every_example_has_a_test() -> None:
    tests = Path(__file__).read_text()
    assert [path.name for path in EXAMPLES.glob("*.py") if f'run("{path.name}"' not in tests] == []
