"""Sizes in the headers of pictures, and pictures too large to be decoded."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest

from ptfast.io import open_video
from ptfast.io.image_sizes import header_size
from ptfast.io.images import read_image

cv2 = pytest.importorskip("cv2")


def encoded(suffix: str, width: int = 137, height: int = 121) -> bytes:
    done, content = cv2.imencode(suffix, np.zeros((height, width, 3), np.uint8))
    assert done
    return bytes(content)


def png(width: int, height: int, rows: int = 0) -> bytes:
    """A grey PNG file whose header says this size, with the data of some rows."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes((width + 1) * rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".jp2", ".ppm", ".gif"])
def test_headers_say_the_size(suffix: str) -> None:
    content = encoded(suffix)
    assert header_size(content) == (137, 121)
    for end in range(0, min(len(content), 400)):
        assert header_size(content[:end]) in (None, (137, 121))


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 137, -121), (137, 121)),
        (b"BM" + bytes(12) + struct.pack("<IHH", 12, 137, 121), (137, 121)),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + struct.pack("<HBHB", 136, 0, 120, 1), (137, 65657)),
        (b"\xff\xd8\xff\xff\xe0\0\4\xff\xc0??\xff\xc2\0\x0b\x08" + struct.pack(">HH", 121, 137), (137, 121)),
        (b"MM\0*" + struct.pack(">IHHHIHHHHIHH", 8, 2, 257, 3, 1, 121, 0, 256, 3, 1, 137, 0), (137, 121)),
        (b"II" + struct.pack("<HHHQQHHQQHHQQ", 43, 8, 0, 16, 2, 256, 16, 1, 2**40, 257, 4, 1, 121), (2**40, 121)),
        (b"\xff\x4f\xff\x51" + bytes(4) + struct.pack(">IIII", 147, 126, 10, 5), (137, 121)),
        (b"P5 # a word\n137\t# more\n 121\n255\n", (137, 121)),
        (b"P6 words", None),
        (b"no picture", None),
        (b"", None),
    ],
)
def test_headers_of_every_kind_are_read(content: bytes, size: tuple[int, int] | None) -> None:
    assert header_size(content) == size


@pytest.mark.parametrize("size", [(40_000, 40_000), (2**31 - 1, 2**31 - 1), (20_000, 20_000)])
def test_a_picture_too_large_is_one_lost_frame(tmp_path: Path, size: tuple[int, int]) -> None:
    for index in (0, 2):
        (tmp_path / f"{index}.png").write_bytes(encoded(".png"))
    (tmp_path / "1.png").write_bytes(png(*size, rows=1))
    video = open_video(tmp_path)
    with pytest.warns(UserWarning) as caught:
        frames = list(video)
    assert [frame.size for frame in frames] == [(137, 121), (0, 0), (137, 121)] and video.corrupt == 1
    found = f"1.png: expected a picture of at most 268,435,456 pixels, found {size[0]:,} x {size[1]:,}"
    assert found in str(caught[0].message)
    assert "frame 1.png could not be decoded" in str(caught[1].message)


def test_a_picture_that_opencv_refuses_is_one_lost_frame(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(encoded(".png"))
    sun = struct.pack(">8I", 0x59A66A95, 2**20 + 1, 1, 24, 3, 1, 0, 0)  # a raster of Sun's, wider than OpenCV takes
    (tmp_path / "1.png").write_bytes(sun + bytes(99))
    with pytest.warns(UserWarning, match=r"1\.png could not be decoded"):
        assert [frame.size for frame in open_video(tmp_path)] == [(137, 121), (0, 0)]


def test_a_picture_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(2**14, 2**10, 2**10))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = read_image(tmp_path / "a.png")
    assert image is not None and image.shape == (2**10, 2**14, 3)


def test_a_pipe_and_a_device_are_no_pictures(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png") is None
    assert read_image(Path("/dev/zero")) is None
    with pytest.raises(FileNotFoundError, match="neither a file nor a folder"):
        open_video(tmp_path / "a.png")
