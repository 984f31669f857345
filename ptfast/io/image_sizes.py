"""Sizes of pictures as their headers say, read before anything of that size is made."""

from __future__ import annotations

import re
import struct

LARGEST_PICTURE = 2**28  # pixels; as RGB 0.8 GB

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of headers that hold a size
_TIFF_SIDES = {256: 0, 257: 1}  # tags of width and height


def header_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF, BMP, WebP, TIFF, JPEG 2000 or Netpbm file.

    Args:
        content: The file, or its beginning.

    Returns:
        Both in pixels, or None of another format and of a header that is cut off.
    """
    readers = {
        b"\x89PNG\r\n\x1a\n": _png,
        b"\xff\xd8\xff": _jpeg,
        b"GIF8": _gif,
        b"BM": _bmp,
        b"RIFF": _webp,
        b"II": _tiff,
        b"MM": _tiff,
        b"\0\0\0\x0cjP  ": _jp2,
        b"\xff\x4f\xff\x51": _jpeg2000,
        b"P": _netpbm,
    }
    for start, reader in readers.items():
        if content.startswith(start):
            try:
                return reader(content)
            except (struct.error, ValueError):
                return None
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    return struct.unpack_from(">II", content, 16)


def _gif(content: bytes) -> tuple[int, int] | None:
    return struct.unpack_from("<HH", content, 6)


def _bmp(content: bytes) -> tuple[int, int] | None:
    old = struct.unpack_from("<I", content, 14)[0] == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", content, 18)
    return abs(width), abs(height)  # a negative height: rows from the top


def _webp(content: bytes) -> tuple[int, int] | None:
    """The size of an extended file; others are too small to matter."""
    if content[8:16] != b"WEBPVP8X":
        return None
    sides = struct.unpack_from("<HBHB", content, 24)
    return 1 + sides[0] + (sides[1] << 16), 1 + sides[2] + (sides[3] << 16)


def _jpeg(content: bytes) -> tuple[int, int] | None:
    place = content.find(b"\xff", 2)
    while place >= 0:
        (marker,) = struct.unpack_from("B", content, place + 1)
        if marker == 0xFF:  # filling
            place += 1
            continue
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        (length,) = struct.unpack_from(">H", content, place + 2)
        place = content.find(b"\xff", place + 2 + length)
    return None


def _tiff(content: bytes) -> tuple[int, int] | None:
    order = "<" if content.startswith(b"II") else ">"
    big = struct.unpack_from(f"{order}H", content, 2)[0] == 43
    (place,) = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)
    (entries,) = struct.unpack_from(order + ("Q" if big else "H"), content, place)
    start, length, value = (place + 8, 20, 12) if big else (place + 2, 12, 8)
    sides: list[int | None] = [None, None]
    for entry in range(start, start + length * min(entries, 4096), length):
        tag, kind = struct.unpack_from(f"{order}HH", content, entry)
        if tag in _TIFF_SIDES:
            code = {3: "H", 4: "I", 16: "Q"}.get(kind, "I")
            (sides[_TIFF_SIDES[tag]],) = struct.unpack_from(order + code, content, entry + value)
    width, height = sides
    return None if width is None or height is None else (width, height)


def _jp2(content: bytes) -> tuple[int, int] | None:
    height, width = struct.unpack_from(">II", content, content.index(b"ihdr") + 4)
    return width, height


def _jpeg2000(content: bytes) -> tuple[int, int] | None:
    right, bottom, left, top = struct.unpack_from(">IIII", content, 8)
    return right - left, bottom - top


def _netpbm(content: bytes) -> tuple[int, int] | None:
    space = rb"(?:\s|#[^\n]*\n)+"
    found = re.match(rb"P[1-6]" + space + rb"(\d{1,18})" + space + rb"(\d{1,18})\s", content[:4096])
    return None if found is None else (int(found[1]), int(found[2]))
