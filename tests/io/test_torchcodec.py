"""Reading video through torchcodec: a stand-in for it, and itself where it loads."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import get_args

import cv2
import numpy as np
import pytest

from ptfast.io import Video, open_video
from ptfast.io.video import Backend

COUNT = 12


def make_video(path: Path, code: str = "MJPG") -> Path:
    """Frames that are grey, by eight levels more each, from 100 on."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 20, (64, 48))
    for index in range(COUNT):
        writer.write(np.full((48, 64, 3), 100 + 8 * index, np.uint8))
    writer.release()
    return path


def indices(video: Video) -> list[int | None]:
    return [None if frame.image is None else round((frame.image.mean() - 100) / 8) for frame in video]


class FakeDecoder:
    """As much of torchcodec's decoder as is used: five frames of which the header says six; the third fails."""

    metadata = SimpleNamespace(average_fps=10.0, num_frames=5, num_frames_from_header=6, num_frames_from_content=5)

    def __init__(self, path: Path, *, dimension_order: str, seek_mode: str) -> None:
        assert (dimension_order, seek_mode) == ("NHWC", "exact")
        if path.name == "refused.avi":
            raise ValueError("no")

    def get_frame_at(self, index: int) -> SimpleNamespace:
        if index == 2:
            raise RuntimeError("damaged")
        return SimpleNamespace(
            data=SimpleNamespace(numpy=lambda: np.full((48, 64, 3), 100 - 8 * index, np.uint8)), pts_seconds=index / 10
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    decoders = ModuleType("torchcodec.decoders")
    decoders.VideoDecoder = FakeDecoder  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchcodec", ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("backend", ["auto", "torchcodec"])
def test_torchcodec_is_taken_where_it_is_there(tmp_path: Path, backend: Backend) -> None:
    path = make_video(tmp_path / "walk.avi")
    video = open_video(path, backend=backend, first=1)
    with pytest.warns(UserWarning) as caught:
        frames = list(video)
    assert [(frame.name, frame.index, frame.time) for frame in frames] == [
        ("000001.jpg", 1, 0.1), ("000002.jpg", 2, None), ("000003.jpg", 3, 0.3), ("000004.jpg", 4, 0.4),
    ]  # fmt: skip
    assert (video.corrupt, video.fps, video.length) == (1, 10, 6)
    assert [str(one.message) for one in caught] == [
        f"{path}: frame 000002.jpg could not be decoded; further ones are counted without a word",
        f"{path}: its header promises 6 frames, 5 could be read; it may be cut short",
    ]


@pytest.mark.usefixtures("fake")
def test_what_torchcodec_refuses_opencv_may_read(tmp_path: Path) -> None:
    path = make_video(tmp_path / "refused.avi")
    assert indices(open_video(path)) == list(range(COUNT))
    with pytest.raises(ValueError, match=r"refused\.avi: expected a video that torchcodec can read, found"):
        open_video(path, backend="torchcodec")


@pytest.mark.parametrize("error", [ImportError, OSError, RuntimeError])
def test_without_torchcodec_opencv_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(name: str) -> ModuleType:
        raise error(f"no {name}")

    monkeypatch.setattr("ptfast.io.video_readers.import_module", broken)
    path = make_video(tmp_path / "walk.avi")
    assert indices(open_video(path)) == list(range(COUNT))
    with pytest.raises(error, match=r"no torchcodec\.decoders"):
        open_video(path, backend="torchcodec")


def test_torchcodec_and_opencv_give_the_same_frames(tmp_path: Path) -> None:
    try:
        import torchcodec  # noqa: F401
    except Exception as error:
        pytest.skip(f"torchcodec does not load: {type(error).__name__}")
    path = make_video(tmp_path / "walk.mp4", "mp4v")
    ours, theirs = (open_video(path, backend=backend, first=3) for backend in get_args(Backend)[1:])
    assert (ours.fps, ours.length) == (theirs.fps, theirs.length) == (20, COUNT)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.index, a.name, a.time) == (b.index, b.name, pytest.approx(b.time))
        assert a.image is not None and b.image is not None
        assert np.abs(a.image.astype(int) - b.image).max() <= 3
