"""Videos of drawn poses: 41 frames of 960x540, written by PyAV's encoder and by OpenCV's, in processor seconds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ptfast.synthetic import render
from ptfast.viz import render_video

SEED, FRAMES, SIZE = 1_000, 41, (960, 540)
DEMANDED = 4.0  # processor seconds


def decibels(path: Path, wanted: list[np.ndarray]) -> float:
    """Peak signal to noise ratio of a video against the images that were written."""
    video = cv2.VideoCapture(str(path))
    errors = [np.square(video.read()[1][..., ::-1].astype(np.float32) - image).mean() for image in wanted]
    return float(10 * np.log10(255**2 / np.mean(errors)))


@pytest.mark.parametrize("encoder", ["PyAV", "OpenCV"])
def test_render_video(benchmark: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: str) -> None:
    if encoder == "PyAV":
        pytest.importorskip("av")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    film = render(SEED, frames=FRAMES, size=SIZE, people=6, pan=4.0, shake=0.2, blur=2)
    images, path, seconds = list(film), tmp_path / "video.mp4", []

    def draw() -> None:
        start = time.process_time()
        render_video(film.poses, path, frames=images, progress=False)
        seconds.append(time.process_time() - start)

    benchmark.group = "render a video"
    benchmark.pedantic(draw, rounds=1, warmup_rounds=0)
    nobody = film.poses.select(np.zeros(len(film.poses.keypoints), bool))
    size = path.stat().st_size
    render_video(nobody, path, frames=images, progress=False)
    benchmark.extra_info |= {
        "size": f"{SIZE[0]}x{SIZE[1]}", "frames": FRAMES, "encoder": encoder, "processor_seconds": seconds[-1],
        "bytes": size, "decibels_without_poses": decibels(path, images),
    }  # fmt: skip
    assert benchmark.stats is None or encoder == "OpenCV" or seconds[-1] <= DEMANDED
