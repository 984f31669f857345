"""A contact sheet: evenly spaced frames of a sequence on one page."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ptfast._check import check_number
from ptfast._files import write_atomic
from ptfast.structures import Poses
from ptfast.viz._draw import blank_image, draw_poses, trails_at
from ptfast.viz._frames import Frames, centred, check_target, fitted, images
from ptfast.viz._palette import BACKGROUND, FAINT_TEXT, TEXT, id_color, mixed

_MARGIN, _GAP, _HEADER, _CAPTION = 24, 12, 60, 24
_TILE = mixed(BACKGROUND, (255, 255, 255), 0.05)
_TRAIL_SHARE = 0.5  # of the frames between two tiles
_HIGHEST = 4  # height over width of a tile
_SWATCH = 11
_FONT, _BOLD = cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX


def contact_sheet(
    poses: Poses,
    path: str | Path,
    *,
    frames: Frames = None,
    columns: int = 4,
    count: int = 12,
    width: int = 1280,
    progress: bool = True,
) -> None:
    """Draws evenly spaced frames of a sequence, ids as colours, with frame numbers and a legend, to a PNG file.

    The file appears whole or not at all.

    Args:
        poses: F frames.
        path: The file, `*.png`, in a folder that exists.
        frames: Images to draw on: arrays (H, W, 3) uint8 RGB from frame 0 on, a video file, or what
            `ptfast.io.open_video` gives. None takes a plain dark image of the poses' frame_size. In place of an
            image that is None stands the last one before it, or a dark one.
        columns: Images beside each other.
        count: Number of images, or all frames where there are fewer.
        width: Width of the sheet in pixels.
        progress: Shows a progress bar if it takes more than a second.

    Raises:
        ValueError: The suffix is wrong, there are no frames, a number is not positive, or `frames` gives too few
            images.
        TypeError: An image is not uint8.
        FileNotFoundError, PermissionError: The folder or the video is absent, or the folder is not writable.
    """
    path = check_target(path, ".png", poses)
    for name, number in (("columns", columns), ("count", count)):
        check_number(name, number, 1)
    columns = min(columns, count, len(poses))
    check_number("width", width, 2 * _MARGIN + columns * (_GAP + 64))
    poses = poses.numpy()
    wanted = np.linspace(0, len(poses) - 1, min(count, len(poses))).round().astype(int).tolist()
    tile_width = (width - 2 * _MARGIN - (columns - 1) * _GAP) // columns
    shown = tqdm(images(frames, poses, wanted), "contact sheet", len(wanted), delay=1, disable=not progress)
    tiles = [_tile(poses, index, image, tile_width, _trail(wanted)) for index, image in zip(wanted, shown, strict=True)]
    sheet = _arranged(tiles, columns, width)
    _draw_header(sheet, poses, wanted)
    with write_atomic(path) as draft:
        draft.write_bytes(cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1].tobytes())


def _trail(wanted: list[int]) -> int:
    gap = wanted[1] - wanted[0] if len(wanted) > 1 else 0
    return min(round(_TRAIL_SHARE * gap), 30)


def _tile(poses: Poses, index: int, image: np.ndarray, width: int, trail: int) -> np.ndarray:
    """One frame, `width` pixels wide, with its number below; a very high one with margins."""
    height = max(1, round(min(image.shape[0] / image.shape[1], _HIGHEST) * width))
    small, scale = fitted(image, (width, height))
    if (image == BACKGROUND).all():
        small[:] = _TILE
    drawn = draw_poses(small, poses.frame(index), trails=trails_at(poses, index, trail), scale=scale)
    tile = np.concatenate([centred(drawn, (width, height)), blank_image((width, _CAPTION))])
    cv2.putText(tile, f"frame {index}", (1, height + 17), _FONT, 0.42, FAINT_TEXT, 1, cv2.LINE_AA)
    return tile


def _arranged(tiles: list[np.ndarray], columns: int, width: int) -> np.ndarray:
    """The sheet with its tiles in rows, each as high as its highest tile, and room for the header."""
    rows = [tiles[first : first + columns] for first in range(0, len(tiles), columns)]
    heights = [max(len(tile) for tile in row) for row in rows]
    sheet = blank_image((width, _MARGIN + _HEADER + sum(heights) + _GAP * len(rows)))
    top = _MARGIN + _HEADER
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            left = _MARGIN + column * (tile.shape[1] + _GAP)
            sheet[top : top + len(tile), left : left + tile.shape[1]] = tile
        top += height + _GAP
    return sheet


def _draw_header(sheet: np.ndarray, poses: Poses, wanted: list[int]) -> None:
    """Title and counts on the left, the colours of the ids that the sheet shows on the right."""
    rows = [slice(*poses.frame_offsets[index : index + 2].tolist()) for index in wanted]
    shown = np.unique(np.concatenate([poses.track_ids[row] for row in rows]))
    ids = [int(one) for one in shown if one >= 0]
    everybody = np.unique(poses.track_ids[poses.track_ids >= 0]).size
    title = (poses.sequence or "poses").encode(errors="backslashreplace").decode()  # OpenCV takes UTF-8 alone
    facts = f"{len(wanted)} of {len(poses)} frames, {everybody} tracks; faint: hidden joints, recent path"
    cv2.putText(sheet, title, (_MARGIN, _MARGIN + 18), _BOLD, 0.65, TEXT, 1, cv2.LINE_AA)
    cv2.putText(sheet, facts, (_MARGIN, _MARGIN + 40), _FONT, 0.42, FAINT_TEXT, 1, cv2.LINE_AA)
    left_end = _MARGIN + max(_text_width(title, _BOLD, 0.65), _text_width(facts, _FONT, 0.42)) + 2 * _MARGIN
    _draw_legend(sheet, ids, left_end)


def _draw_legend(sheet: np.ndarray, ids: list[int], left_end: int) -> None:
    """A dot and a number for each id, flush right. What does not fit becomes "+ 5"."""
    step = 2 * _SWATCH + _text_width(str(max(ids, default=0)), _FONT, 0.45)
    room = max(0, (sheet.shape[1] - _MARGIN - left_end) // step)
    fitting = ids if len(ids) <= room else ids[: max(0, room - 2)]
    rest = f"+ {len(ids) - len(fitting)}" if len(fitting) < len(ids) else ""
    x = sheet.shape[1] - _MARGIN - len(fitting) * step - (_text_width(rest, _FONT, 0.45) if rest else -_SWATCH // 2)
    y = _MARGIN + 14
    for one in fitting:
        cv2.circle(sheet, (x, y), _SWATCH // 2, id_color(one), cv2.FILLED, cv2.LINE_AA)
        cv2.putText(sheet, str(one), (x + _SWATCH - 1, y + 5), _FONT, 0.45, TEXT, 1, cv2.LINE_AA)
        x += step
    cv2.putText(sheet, rest, (x - _SWATCH // 2, y + 5), _FONT, 0.45, FAINT_TEXT, 1, cv2.LINE_AA)


def _text_width(text: str, font: int, size: float) -> int:
    return int(cv2.getTextSize(text, font, size, 1)[0][0])
