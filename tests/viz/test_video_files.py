"""Video files as they are written: never half, on full disks, under any name, of odd pictures, rates and poses."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.io import open_video
from ptfast.structures import Poses
from ptfast.synthetic import scene
from ptfast.viz import canvas_size, contact_sheet, draw_poses, render_video, trails_at, write_video

cv2 = pytest.importorskip("cv2")

ROOT = Path(__file__).parents[2]
NOT_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.fixture(params=["PyAV", "OpenCV"], autouse=True)
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What writes the videos."""
    if request.param == "PyAV":
        pytest.importorskip("av")
    else:
        monkeypatch.setitem(sys.modules, "av", None)
    return request.param


@pytest.fixture(scope="module")
def poses() -> Poses:
    return scene(0, frames=4, people=2, size=(160, 90))


def black(width: int, height: int, count: int = 4) -> list[np.ndarray]:
    return [np.zeros((height, width, 3), np.uint8) for _ in range(count)]


def sizes(path: Path) -> list[tuple[int, int]]:
    return [frame.size for frame in open_video(path, backend="opencv")]


@pytest.mark.parametrize("room", ["none", "half", "all but the index"])
def test_a_full_disk_leaves_the_old_video(tmp_path: Path, room: str, encoder: str) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("old")
    code = f"""if True:
        import os, resource, sys
        import numpy as np
        if {encoder!r} == "OpenCV":
            sys.modules["av"] = None
        from ptfast.viz import write_video
        noise = np.random.default_rng(0).integers(0, 255, (30, 90, 160, 3), np.uint8)
        write_video(noise, sys.argv[2])
        whole = os.path.getsize(sys.argv[2])
        room = {{"none": 0, "half": whole // 2, "all but the index": whole - 100}}[{room!r}]
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        try:
            write_video(noise, sys.argv[1])
        except OSError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "b.mp4"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0 and str(path) in done.stdout, done.stderr
    assert "of 30 frames could be written; is the disk full?" in done.stdout or "File too large" in done.stdout
    assert path.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("lost", ["a frame", "the last picture", "all"])
def test_a_video_that_lacks_frames_does_not_replace_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)

    class Writer:  # OpenCV's own class cannot be inherited from: it frees what Python allocated
        """Loses frames without a word, as OpenCV's does on a full disk."""

        fourcc = cv2.VideoWriter.fourcc

        def __init__(self, *arguments: Any) -> None:
            self.writer, self.written = original(*arguments), 0
            self.isOpened = self.writer.isOpened

        def write(self, image: np.ndarray) -> None:
            self.written += 1
            if lost != "all" and (lost != "a frame" or self.written != 3):
                self.writer.write(image)

        def release(self) -> None:
            self.writer.release()
            if lost == "the last picture":
                file = next(tmp_path.glob(".*/a.mp4"))
                content = file.read_bytes()
                end = content.index(b"moov") - 4
                file.write_bytes(content[: end - 6000] + bytes(6000) + content[end:])

    original = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Writer)
    path = tmp_path / "a.mp4"
    path.write_text("old")
    noise = np.random.default_rng(0).integers(0, 255, (5, 90, 160, 3), np.uint8)
    with pytest.raises(OSError, match=r"a\.mp4: only [0-4] of 5 frames could be written; is the disk full\?"):
        write_video(noise, path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.mp4"]


def codec(path: Path) -> str:
    tag = int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FOURCC))
    return tag.to_bytes(4, "little").decode()


def test_players_take_the_videos(tmp_path: Path, encoder: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (30, 90, 160, 3), np.uint8)
    write_video(noise, tmp_path / "a.mp4")
    if encoder == "OpenCV":
        assert codec(tmp_path / "a.mp4") == "VP90"
        return
    import av

    with av.open(str(tmp_path / "a.mp4")) as video:
        stream = video.streams.video[0].codec_context
        assert (codec(tmp_path / "a.mp4"), stream.pix_fmt, stream.colorspace) == ("h264", "yuv420p", 6)
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays before the file has come whole


@pytest.mark.parametrize(("able", "expected"), [(["libvpx-vp9"], "VP90"), ([], "VP90"), (["libx264"], "h264")])
def test_the_best_codec_of_the_build_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, able: list[str], expected: str
) -> None:
    if encoder == "OpenCV":
        pytest.skip("it has one codec")
    import av

    monkeypatch.setattr(av, "codecs_available", set(able))
    write_video(black(160, 90), tmp_path / "a.mp4")
    assert codec(tmp_path / "a.mp4") == expected and sizes(tmp_path / "a.mp4") == [(160, 90)] * 4


@pytest.mark.parametrize("color", [(200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)])
def test_colours_are_kept(tmp_path: Path, color: tuple[int, int, int]) -> None:
    write_video([np.full((720, 1280, 3), color, np.uint8)] * 2, tmp_path / "a.mp4")
    seen = next(iter(open_video(tmp_path / "a.mp4", backend="opencv"))).image
    assert seen is not None
    np.testing.assert_allclose(np.median(seen, axis=(0, 1)), color, atol=6)  # BT.709 would be off by 20


def test_pictures_too_large_for_decoders_of_h264_become_vp9(tmp_path: Path) -> None:
    write_video(black(4098, 16), tmp_path / "a.mp4")
    assert codec(tmp_path / "a.mp4") == "VP90" and sizes(tmp_path / "a.mp4") == [(4098, 16)] * 4


@pytest.mark.parametrize("folder", ["films", NOT_UTF8])
@pytest.mark.parametrize("name", ["a", NOT_UTF8, "walk:1", "walk%02d"])
def test_drawings_have_names_of_any_bytes(tmp_path: Path, poses: Poses, folder: str, name: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    poses = replace(poses, sequence=name)
    render_video(poses, place / f"{name}.mp4", progress=False)
    render_video(poses, place / f"{name}2.mp4", frames=place / f"{name}.mp4", progress=False)
    contact_sheet(poses, place / f"{name}.png", frames=place / f"{name}.mp4", progress=False)
    assert sorted(os.listdir(place)) == [f"{name}.mp4", f"{name}.png", f"{name}2.mp4"]
    assert sizes(place / f"{name}2.mp4") == [(160, 90)] * 4


@pytest.mark.parametrize(
    ("size", "expected"), [((1, 1), (2, 2)), ((1, 7), (2, 6)), ((8, 1), (8, 2)), ((3, 5), (2, 4)), ((2, 2), (2, 2))]
)
def test_tiny_pictures_are_drawn(
    tmp_path: Path, poses: Poses, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    render_video(poses, tmp_path / "a.mp4", frames=black(*size), progress=False)
    write_video(black(*size), tmp_path / "b.mp4")
    contact_sheet(poses, tmp_path / "a.png", frames=black(*size), progress=False)
    assert sizes(tmp_path / "a.mp4") == sizes(tmp_path / "b.mp4") == [expected] * 4


def test_pictures_too_wide_for_a_video_are_made_smaller_or_refused(tmp_path: Path, poses: Poses) -> None:
    render_video(poses[:1], tmp_path / "a.mp4", frames=black(70_000, 10, 1), progress=False)
    assert sizes(tmp_path / "a.mp4") == [(65_534, 8)]
    with pytest.raises(ValueError, match=r"frames\[0\] must have at most 65,534 pixels each way, got 10 x 70000"):
        write_video(black(10, 70_000, 1), tmp_path / "b.mp4")
    contact_sheet(poses, tmp_path / "a.png", frames=black(10, 70_000), progress=False)
    assert cv2.imread(str(tmp_path / "a.png")).shape[0] < 2000  # the sheet does not grow with a picture's height


def test_pictures_without_a_pixel_are_named(tmp_path: Path, poses: Poses) -> None:
    for draw, name in ((render_video, "a.mp4"), (contact_sheet, "a.png")):
        with pytest.raises(ValueError, match=r"frames\[0\] must have shape \(H, W, 3\), got \(0, 4, 3\)"):
            draw(poses, tmp_path / name, frames=black(4, 0), progress=False)


def test_without_any_readable_picture_poses_are_drawn_on_a_plain_one(tmp_path: Path, poses: Poses) -> None:
    render_video(poses, tmp_path / "a.mp4", frames=[None] * 4, progress=False)
    lost = replace(poses, frame_size=np.zeros((4, 2), np.int64))
    render_video(lost, tmp_path / "b.mp4", frames=[None] * 4, progress=False)
    width, height = canvas_size(lost)
    assert sizes(tmp_path / "a.mp4") == [(160, 90)] * 4
    assert sizes(tmp_path / "b.mp4") == [(width // 2 * 2, height // 2 * 2)] * 4 and width > 15


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 3e38, -1e9])
def test_joints_and_boxes_that_are_nowhere_are_harmless(tmp_path: Path, poses: Poses, wrong: float) -> None:
    keypoints, boxes = poses.keypoints.copy(), poses.boxes.copy()
    keypoints[:, 3] = wrong
    boxes[0] = wrong
    lost = replace(poses, keypoints=keypoints, boxes=boxes)
    render_video(lost, tmp_path / "a.mp4", progress=False)
    contact_sheet(lost, tmp_path / "a.png", progress=False)
    keypoints[:] = wrong
    draw_poses(black(160, 90)[0], replace(poses, keypoints=keypoints).frame(0))
    width, height = canvas_size(replace(poses, keypoints=keypoints, frame_size=None))
    assert width <= 8192 and height <= 8192
    assert len(sizes(tmp_path / "a.mp4")) == 4


def test_joints_without_coordinates_are_drawn_like_absent_ones(poses: Poses) -> None:
    absent, unknown = poses.keypoints.copy(), poses.keypoints.copy()
    visibility = poses.joint_visibility.copy()
    visibility[:, 3] = 0
    unknown[:, 3] = np.nan
    absent[:, 3] = 0
    first = replace(poses, keypoints=absent, joint_visibility=visibility)
    second = replace(poses, keypoints=unknown)
    drawn = [draw_poses(black(160, 90)[0], p.frame(3), trails=trails_at(p, 3, 3)) for p in (first, second)]
    np.testing.assert_array_equal(*drawn)


def test_frames_too_large_for_a_plain_picture_are_named(tmp_path: Path, poses: Poses) -> None:
    huge = replace(poses, frame_size=np.full((4, 2), 10**9))
    with pytest.raises(ValueError, match="frame_size of at most 268,435,456 pixels, got 1000000000 x 1000000000"):
        render_video(huge, tmp_path / "a.mp4", progress=False)
    render_video(huge, tmp_path / "a.mp4", frames=black(160, 90), progress=False)


@pytest.mark.parametrize("fps", [float("nan"), float("inf"), 0, -1, 1e9, 1e-9])
def test_rates_that_no_video_has_are_named(tmp_path: Path, poses: Poses, fps: float) -> None:
    for draw in (lambda path: render_video(poses, path, fps=fps), lambda path: write_video(black(8, 8), path, fps=fps)):
        with pytest.raises(ValueError, match=r"fps must be between 0\.01 and 1000\.0"):
            draw(tmp_path / "a.mp4")


@pytest.mark.parametrize("fps", [0.01, 0.05, 1000])
def test_rates_of_any_video_are_kept(tmp_path: Path, fps: float) -> None:
    write_video(black(8, 8), tmp_path / "a.mp4", fps=fps)
    assert open_video(tmp_path / "a.mp4", backend="opencv").fps == pytest.approx(fps)


def test_a_trail_is_a_whole_number(tmp_path: Path, poses: Poses) -> None:
    with pytest.raises(TypeError, match=r"trail must be an integer, got 1\.5"):
        render_video(poses, tmp_path / "a.mp4", trail=1.5)  # type: ignore[arg-type]
