"""Reading video: files, folders of frames and given images, whole, damaged and wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import Frame, Video, open_video

cv2 = pytest.importorskip("cv2")

COUNT = 30


def make_image(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """RGB whose red says the index, with some texture, so that frames have a size in a file."""
    image = np.random.default_rng(index).integers(0, 8, (height, width, 3), np.uint8)
    image[..., 0] += np.uint8(8 * index % 256)
    return image


def index_of(frame: Frame) -> int | None:
    return None if frame.image is None else round((frame.image[..., 0].mean() - 3.5) / 8)


def indices(video: Video) -> list[int | None]:
    return [index_of(frame) for frame in video]


def make_video(path: Path, code: str = "MJPG", count: int = COUNT) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), 20, (64, 48))
    if not writer.isOpened():
        pytest.skip(f"OpenCV cannot write {code} here")
    for index in range(count):
        writer.write(make_image(index)[..., ::-1])
    writer.release()
    return path


def make_folder(path: Path, names: list[str]) -> Path:
    path.mkdir()
    for index, name in enumerate(names):
        assert cv2.imwrite(str(path / name), make_image(index)[..., ::-1])
    return path


def damage(path: Path, frames: Iterable[int]) -> None:
    """Makes the data of some frames of a Motion JPEG file zeros, but not their headers in the container."""
    data = bytearray(path.read_bytes())
    starts = [found.start() for found in re.finditer(b"\xff\xd8\xff", data)]
    for start in [starts[frame] for frame in frames]:
        end = data.index(b"\xff\xd9", start)
        data[start:end] = bytes(end - start)
    path.write_bytes(data)


def test_opencv_loads_only_with_the_first_function_for_video() -> None:
    code = "import sys, ptfast, ptfast.io; assert 'cv2' not in sys.modules; ptfast.io.open_video; sys.modules['cv2']"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(("name", "code"), [("walk.mp4", "mp4v"), ("walk.avi", "MJPG"), ("walk.1.webm", "VP80")])
def test_a_video_file_gives_its_frames_in_rgb(tmp_path: Path, name: str, code: str) -> None:
    with open_video(make_video(tmp_path / name, code), backend="opencv") as video:
        assert (video.name, video.fps, video.length) == (name.rsplit(".", 1)[0], 20, COUNT)
        for loop in range(2):
            frames = list(video)
            assert [index_of(frame) for frame in frames] == list(range(COUNT)), loop
            assert [frame.index for frame in frames] == list(range(COUNT))
            assert [frame.name for frame in frames[::29]] == ["000000.jpg", "000029.jpg"]
            assert [frame.time for frame in frames] == pytest.approx([index / 20 for index in range(COUNT)], abs=0.002)
        image = frames[20].image
        assert image is not None and image.dtype == np.uint8
        assert image.mean((0, 1)).tolist() == pytest.approx([163.5, 3.5, 3.5], abs=4)
        assert video.corrupt == 0


def test_a_folder_gives_its_images_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = ["1.png", "2.PNG", "10.bmp", "a2.webp", "a10.tif", "a010.jpg", "b_1_9.jpeg", "b_1_10.png"]
    folder = make_folder(tmp_path / "walk", sorted(names))
    names[4:6] = ["a010.jpg", "a10.tif"]
    for other in ("._1.png", "notes.txt"):
        (folder / other).write_text("x")
    (folder / "deeper.png").mkdir()
    video = open_video(str(folder))
    assert (video.name, video.fps, video.length) == ("walk", None, 8)
    frames = list(video)
    assert [frame.name for frame in frames] == names
    assert [index_of(frame) for frame in frames] == [sorted(names).index(name) for name in names]
    assert {frame.time for frame in frames} == {None}
    assert len(list(video)) == 8


def test_one_image_is_a_video_of_one_frame(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "walk", ["still.png"])
    video = open_video(folder / "still.png")
    (frame,) = video
    assert (video.name, video.length, frame.name, index_of(frame)) == ("still", 1, "still.png", 0)


@pytest.mark.parametrize("kind", ["video", "folder", "images"])
@pytest.mark.parametrize("first", [1, 17, COUNT, 100])
def test_reading_can_begin_at_any_frame(tmp_path: Path, kind: str, first: int) -> None:
    if kind == "video":
        video = open_video(make_video(tmp_path / "walk.mp4", "mp4v"), first=first)
    elif kind == "folder":
        video = open_video(make_folder(tmp_path / "walk", [f"{i}.png" for i in range(COUNT)]), first=first)
    else:
        video = open_video([make_image(index) for index in range(COUNT)], first=first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames = list(video)
    assert [(index_of(frame), frame.index) for frame in frames] == [(index, index) for index in range(first, COUNT)]
    assert video.length == COUNT


def test_given_images_are_taken_one_by_one() -> None:
    taken = []

    def images() -> Iterator[np.ndarray | None]:
        for index in range(COUNT):
            taken.append(index)
            yield None if index == 1 else make_image(index)

    video = open_video(images())
    assert (video.name, video.length, video.fps) == ("frames", None, None)
    frames = iter(video)
    with pytest.warns(UserWarning, match=r"frames: frame 000001\.jpg could not be decoded"):
        first = [next(frames) for _ in range(3)]
    assert ([index_of(frame) for frame in first], taken, video.corrupt) == ([0, None, 2], [0, 1, 2], 1)


def test_given_images_are_checked() -> None:
    with pytest.raises(ValueError, match=r"source\[1\] must have shape \(H, W, 3\), got \(48, 64\)"):
        list(open_video([make_image(0), make_image(1)[..., 0]]))
    with pytest.raises(TypeError, match=r"source\[0\] must have dtype uint8, got float32"):
        list(open_video(np.zeros((2, 4, 4, 3), np.float32)))
    with pytest.raises(TypeError, match="source must be a path or an iterable of images, got int"):
        open_video(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="backend must be auto, opencv or torchcodec, got 'ffmpeg'"):
        open_video("a.mp4", backend="ffmpeg")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="first must be between 0 and"):
        open_video("a.mp4", first=-1)


def converted(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """An image as a file holds it (OpenCV's order of channels), and as it should come out."""
    red = np.full((6, 4), 200, np.uint8)
    blue = np.arange(24, dtype=np.uint8).reshape(6, 4)
    color = np.dstack([blue, np.zeros_like(red), red])
    return {
        "grey": (blue, np.dstack([blue] * 3)),
        "alpha": (np.dstack([color, red]), color[..., ::-1]),
        "16 bits": (color.astype(np.uint16) * 257, color[..., ::-1]),
        "grey of 16 bits": (blue.astype(np.uint16) * 257, np.dstack([blue] * 3)),
    }[kind]


@pytest.mark.parametrize("kind", ["grey", "alpha", "16 bits", "grey of 16 bits"])
def test_images_of_every_depth_become_rgb(tmp_path: Path, kind: str) -> None:
    stored, expected = converted(kind)
    assert cv2.imwrite(str(tmp_path / "a.png"), stored)
    (frame,) = open_video(tmp_path)
    np.testing.assert_array_equal(frame.image, expected)


def test_an_image_with_several_images_gives_the_first(tmp_path: Path) -> None:
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), [make_image(3)[..., ::-1], make_image(5)[..., ::-1]])
    assert indices(open_video(tmp_path)) == [3]


def test_images_are_turned_as_their_exif_says(tmp_path: Path) -> None:
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :32] = 255
    data = cv2.imencode(".jpg", image)[1].tobytes()
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: turn clockwise
    exif = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2, "big") + b"Exif\0\0" + tiff
    (tmp_path / "a.jpg").write_bytes(data[:2] + exif + data[2:])
    (frame,) = open_video(tmp_path)
    assert frame.image is not None and frame.image.shape == (64, 32, 3)
    assert frame.image[:30].min() > 240 and frame.image[34:].max() < 15


def test_videos_are_turned_as_their_header_says(tmp_path: Path) -> None:
    path = make_video(tmp_path / "phone.mp4", "mp4v")
    data = path.read_bytes()
    one, none = (1 << 16).to_bytes(4, "big"), bytes(4)
    upright = one + 3 * none + one + 3 * none + (1 << 30).to_bytes(4, "big")
    turned = none + one + none + (-1 << 16).to_bytes(4, "big", signed=True) + 4 * none + (1 << 30).to_bytes(4, "big")
    track = data.index(b"tkhd")
    path.write_bytes(data[:track] + data[track:].replace(upright, turned, 1))
    frame = next(iter(open_video(path, backend="opencv")))
    assert frame.image is not None and frame.image.shape == (64, 48, 3)


def test_frames_may_differ_in_size(tmp_path: Path) -> None:
    for index, size in enumerate([(64, 48), (32, 20)]):
        assert cv2.imwrite(str(tmp_path / f"{index}.png"), make_image(index, *size))
    assert [frame.image.shape[:2] for frame in open_video(tmp_path) if frame.image is not None] == [(48, 64), (20, 32)]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tif"])
def test_a_damaged_image_is_a_frame_without_an_image(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "walk", [f"{index}{suffix}" for index in range(12)])
    whole = (folder / f"2{suffix}").read_bytes()
    (folder / f"2{suffix}").write_bytes(whole[: len(whole) // 2])
    (folder / f"3{suffix}").write_bytes(b"")
    (folder / f"10{suffix}").write_bytes(b"no image")
    video = open_video(folder)
    with pytest.warns(UserWarning) as caught:
        frames = list(video)
    assert [index_of(frame) for frame in frames] == [0, 1, None, None, *range(4, 10), None, 11]
    assert (video.corrupt, len(caught)) == (3, 1)
    assert str(caught[0].message).startswith(f"{folder}: frame 2{suffix} could not be decoded")
    assert "ERROR" not in capfd.readouterr().err


def test_an_image_that_vanished_is_a_frame_without_an_image(tmp_path: Path) -> None:
    video = open_video(make_folder(tmp_path / "walk", ["1.png", "2.png"]))
    os.remove(tmp_path / "walk" / "1.png")
    with pytest.warns(UserWarning, match=r"frame 1\.png could not be decoded"):
        assert indices(video) == [None, 1]


@pytest.mark.parametrize("lost", [[0], [7], [7, 8, 20], range(5, 25)])
@pytest.mark.parametrize("first", [0, 8])
def test_a_damaged_frame_of_a_video_is_one_without_an_image(tmp_path: Path, lost: Sequence[int], first: int) -> None:
    path = make_video(tmp_path / "walk.avi")
    damage(path, lost)
    video = open_video(path, backend="opencv", first=first)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = indices(video)
    assert found == [None if index in lost else index for index in range(first, COUNT)]
    seen = [index for index in lost if index >= first]
    assert (video.corrupt, len(caught)) == (len(seen), min(1, len(seen)))
    if seen:
        assert f"walk.avi: frame {seen[0]:06d}.jpg could not be decoded" in str(caught[0].message)
        assert caught[0].filename == __file__


def test_raw_video_that_looks_like_text_is_read(tmp_path: Path) -> None:
    frames = (b"FRAME\n" + bytes([8 * index + 40]) * (64 * 48) + b"\x80" * (64 * 48 // 2) for index in range(5))
    (tmp_path / "walk.y4m").write_bytes(b"YUV4MPEG2 W64 H48 F20:1 C420jpeg\n" + b"".join(frames))
    images = [frame.image for frame in open_video(tmp_path / "walk.y4m", backend="opencv")]
    means = [image.mean() for image in images if image is not None]
    assert means == pytest.approx([(8 * index + 40 - 16) * 255 / 219 for index in range(5)], abs=2)


@pytest.mark.parametrize("lost", [range(20, 30), range(20, 72), range(0)])
def test_a_video_ends_where_no_frame_comes_any_more(tmp_path: Path, lost: range) -> None:
    path = make_video(tmp_path / "walk.avi", count=80 if len(lost) > 50 else COUNT)
    damage(path, lost)
    if not lost:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video = open_video(path, backend="opencv")
    with pytest.warns(UserWarning) as caught:
        found = indices(video)
    assert 3 < len(found) <= 20
    assert found == list(range(len(found)))
    assert [str(one.message) for one in caught] == [
        f"{path}: its header promises {video.length} frames, {len(found)} could be read; it may be cut short"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # how many frames there are is not known to a loop that begins behind them
        assert indices(open_video(path, backend="opencv", first=len(found))) == []


def test_a_video_without_a_readable_frame_has_none(tmp_path: Path) -> None:
    path = make_video(tmp_path / "walk.avi")
    damage(path, range(COUNT))
    with pytest.warns(UserWarning, match="promises 30 frames, 0 could be read"):
        assert indices(open_video(path, backend="opencv")) == []


def test_wrong_sources_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.mp4").touch()
    (tmp_path / "films" / "notes.txt").touch()
    (tmp_path / "none.mp4").touch()
    (tmp_path / "notes.mp4").write_text("notes\n" * 100)
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 8)
    whole = make_video(tmp_path / "cut.mp4", "mp4v")
    whole.write_bytes(whole.read_bytes()[:2000])
    wrong = {
        "empty": "expected a folder of images (.bmp, .jp2, .jpeg, .jpg, .png, .ppm, .tif, .tiff, .webp), "
        "found an empty folder",
        "films": ".webp), found none among 2 entries, 1 of them videos",
        "none.mp4": "expected a video that OpenCV can read, found an empty file",
        "notes.mp4": r"expected a video that OpenCV can read, found 600 bytes that begin with b'notes\nnotes\n'",
        "noise.mp4": "found 2,048 bytes that begin with b'\\x00\\x01",
        "cut.mp4": "(a recording that was cut short may lack its index)",
    }
    for name, complaint in wrong.items():
        with pytest.raises(ValueError) as caught:
            open_video(tmp_path / name, backend="opencv")
        assert str(caught.value).startswith(f"{tmp_path / name}: ") and complaint in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.mp4: no such file or folder"):
        open_video(tmp_path / "nowhere.mp4")
    with pytest.raises(FileNotFoundError, match="null: neither a file nor a folder"):
        open_video(os.devnull)


def test_an_error_is_not_drowned_by_opencv(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "cut.mp4", "mp4v")
    whole.write_bytes(whole.read_bytes()[:2000])
    damage(make_video(tmp_path / "walk.avi"), [3])
    code = f"""if True:
        from ptfast.io import open_video
        list(open_video({str(tmp_path / "walk.avi")!r}, backend="opencv"))
        open_video({str(whole)!r}, backend="opencv")
    """
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(" ")]
    assert lines[0].startswith("Traceback") and lines[1].startswith(f"ValueError: {whole}: expected a video")
    assert len(lines) == 2


def test_the_file_is_released(tmp_path: Path) -> None:
    def is_open() -> bool:
        return any(os.path.realpath(link) == str(path) for link in Path("/proc/self/fd").iterdir())

    path = make_video(tmp_path / "walk.mp4", "mp4v").resolve()
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    with open_video(path, backend="opencv") as video:
        assert not is_open()
        loop = iter(video)
        next(loop)
        assert is_open()
    assert not is_open()
    assert next(loop, None) is None
    loop = iter(video)
    assert next(loop).index == 0
    assert indices(video) == list(range(COUNT))
    assert next(loop, None) is None
    assert not is_open()


@pytest.mark.parametrize(
    ("place", "count", "fps", "size"),
    [
        ("video/pedestrians.avi", 795, 10, (480, 360)),
        ("video/one_by_one.mp4", 1394, 10, (768, 432)),
        ("video/street_5_frames.mp4", 5, 5, (960, 540)),
        ("posetrack/images/val/470979_bonn", 41, None, (960, 540)),
    ],
)
def test_real_videos_are_read_to_their_end(
    data: Path, place: str, count: int, fps: float | None, size: tuple[int, int]
) -> None:
    if not (data / place).exists():
        pytest.skip(f"{place} is not in the data folder")
    first = max(0, count - 20)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        video = open_video(data / place, first=first)
        frames = list(video)
    assert (video.length, video.fps, video.name) == (count, fps, Path(place).stem)
    assert [frame.index for frame in frames] == list(range(first, count))
    assert {frame.image.shape for frame in frames if frame.image is not None} == {(size[1], size[0], 3)}
    assert video.corrupt == 0
