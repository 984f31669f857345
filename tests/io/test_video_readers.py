"""Video files under names of any bytes, and headers that say what no video has."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import open_video

cv2 = pytest.importorskip("cv2")

NOT_UTF8 = os.fsdecode(b"caf\xe9")


def make_video(path: Path, fps: float = 20.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(5):
        writer.write(np.full((48, 64, 3), 40 * index, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("folder", ["films", NOT_UTF8])
@pytest.mark.parametrize("name", ["walk", NOT_UTF8, "12:30:05", "data:walk", "walk%03d"])
def test_videos_have_names_of_any_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, name: str
) -> None:
    (tmp_path / folder).mkdir()
    make_video(tmp_path / "a.avi").rename(tmp_path / folder / f"{name}.avi")
    monkeypatch.chdir(tmp_path / folder)
    for path in (Path(f"{name}.avi"), tmp_path / folder / f"{name}.avi"):
        with open_video(path, backend="opencv") as video:
            assert (video.name, video.length, [frame.size for frame in video]) == (name, 5, [(64, 48)] * 5)


def test_what_is_no_video_has_any_name_too(tmp_path: Path) -> None:
    (tmp_path / f"{NOT_UTF8}.avi").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ValueError, match="expected a video that OpenCV can read, found 2,048 bytes"):
        open_video(tmp_path / f"{NOT_UTF8}.avi", backend="opencv")


def test_images_have_names_of_any_bytes(tmp_path: Path) -> None:
    folder = tmp_path / NOT_UTF8
    folder.mkdir()
    (folder / f"{NOT_UTF8}.png").write_bytes(cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1])
    (folder / f"{NOT_UTF8}2.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"2\.png could not be decoded"):
        assert [(frame.name, frame.size) for frame in open_video(folder)] == [
            (f"{NOT_UTF8}2.png", (0, 0)), (f"{NOT_UTF8}.png", (64, 48)),
        ]  # fmt: skip


@pytest.mark.parametrize(("rate", "fps"), [("90000:1", None), ("1:1000", None), ("30000:1001", 30000 / 1001)])
def test_a_rate_that_no_video_has_is_none(tmp_path: Path, rate: str, fps: float | None) -> None:
    picture = b"FRAME\n" + bytes(64 * 48 * 3 // 2)
    (tmp_path / "a.y4m").write_bytes(f"YUV4MPEG2 W64 H48 F{rate} C420jpeg\n".encode() + 3 * picture)
    video = open_video(tmp_path / "a.y4m", backend="opencv")
    assert video.fps == (None if fps is None else pytest.approx(fps)) and len(list(video)) == 3


def test_frames_too_large_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.y4m").write_bytes(b"YUV4MPEG2 W20000 H20000 F25:1 C420jpeg\nFRAME\n" + bytes(1000))
    with pytest.raises(ValueError, match=r"a\.y4m: expected a video that OpenCV can read"):
        open_video(tmp_path / "a.y4m", backend="opencv")


def test_a_header_that_promises_a_billion_frames_is_not_believed(tmp_path: Path) -> None:
    content = make_video(tmp_path / "a.avi").read_bytes()
    place = content.index(b"avih") + 8 + 16
    content = content[:place] + np.array([10**9], "<u4").tobytes() + content[place + 4 :]
    place = content.index(b"strh") + 8 + 32
    (tmp_path / "b.avi").write_bytes(content[:place] + np.array([10**9], "<u4").tobytes() + content[place + 4 :])
    video = open_video(tmp_path / "b.avi", backend="opencv")
    if video.length == 10**9:
        with pytest.warns(UserWarning, match="promises 1,000,000,000 frames, 5 could be read"):
            assert len(list(video)) == 5
    else:
        assert len(list(video)) == 5
