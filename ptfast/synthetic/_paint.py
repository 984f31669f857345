"""Textured convex outlines on an image, with smooth edges, and the same outlines in maps of owners and motion."""

from __future__ import annotations

import cv2
import numpy as np

_SHIFT = 4  # fractional bits of OpenCV's coordinates
_LIMIT = 20_000.0

Box = tuple[int, int, int, int]


def fixed(outline: np.ndarray) -> np.ndarray:
    """(V, 2) int32 fixed-point coordinates."""
    return np.rint(np.maximum(np.minimum(outline, _LIMIT), -_LIMIT) * 2**_SHIFT).astype(np.int32)


def box_of(outline: np.ndarray, shape: tuple[int, ...]) -> Box | None:
    """Left, top, right and bottom of the pixels of an image that an outline may touch. None if there are none."""
    left, top, width, height = cv2.boundingRect(outline)
    x1, y1 = max(left - 1, 0), max(top - 1, 0)
    x2, y2 = min(left + width + 2, shape[1]), min(top + height + 2, shape[0])
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def paint(canvas: np.ndarray, outline: np.ndarray, texture: np.ndarray, matrix: np.ndarray) -> None:
    """Draws a textured outline.

    Args:
        canvas: (H, W, 3) uint8, changed in place.
        outline: (V, 2) float32 pixels, convex.
        texture: (h, w, 3) uint8.
        matrix: (2, 3) or (3, 3), from the unit square (across, down the texture) to pixels.
    """
    box = box_of(outline, canvas.shape)
    if box is None:
        return
    x1, y1, x2, y2 = box
    corner = np.array([x1, y1], np.float32)
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    cv2.fillConvexPoly(mask, fixed(outline - corner), 255, cv2.LINE_AA, _SHIFT)
    scaled = matrix / (texture.shape[1], texture.shape[0], 1.0)
    warp = cv2.warpAffine if len(matrix) == 2 else cv2.warpPerspective
    if len(matrix) == 2:
        scaled[:, 2] -= corner
    else:
        scaled[:2] -= corner[:, None] * scaled[2]
    colors = warp(texture, scaled, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = mask * np.float32(1 / 255)
    place = canvas[y1:y2, x1:x2]
    place[:] = cv2.blendLinear(colors, place, weight, 1 - weight)


def dot(canvas: np.ndarray, centre: np.ndarray, radius: float, color: tuple[int, int, int]) -> None:
    """A small disc."""
    x, y = fixed(centre).tolist()
    cv2.circle(canvas, (x, y), max(round(radius * 2**_SHIFT), 1), color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def shade(canvas: np.ndarray, centre: np.ndarray, radius: float) -> None:
    """A soft shadow on the ground, four times as wide as high."""
    half = np.array([radius, radius / 4], np.float32)
    box = box_of(np.stack([centre - half, centre + half]).astype(np.float32), canvas.shape)
    if box is None:
        return
    x1, y1, x2, y2 = box
    across = (np.arange(x1, x2, dtype=np.float32) - centre[0]) / half[0]
    down = (np.arange(y1, y2, dtype=np.float32) - centre[1]) / half[1]
    light = 1 - 0.55 * np.maximum(1 - across**2 - down[:, None] ** 2, 0)
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] * light[..., None]


def mark(owners: np.ndarray, outline: np.ndarray, owner: int) -> None:
    """Writes `owner` into an int16 map (H, W) wherever the outline covers a pixel."""
    cv2.fillConvexPoly(owners, fixed(outline), owner, cv2.LINE_8, _SHIFT)


def move(flow: np.ndarray, outline: np.ndarray, now: np.ndarray, then: np.ndarray) -> None:
    """Writes the motion of an outline's pixels into a flow (H, W, 2) float32: its matrix changes from now to then."""
    box = box_of(outline, flow.shape)
    if box is None:
        return
    x1, y1, x2, y2 = box
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    cv2.fillConvexPoly(mask, fixed(outline - np.array([x1, y1], np.float32)), 1, cv2.LINE_8, _SHIFT)
    step = motion(_square(then) @ np.linalg.inv(_square(now)), box)
    cv2.copyTo(step, mask, flow[y1:y2, x1:x2])


def motion(change: np.ndarray, box: Box) -> np.ndarray:
    """(h, w, 2) float32 displacement of each pixel of a box by a (3, 3) map."""
    grid = np.empty((box[3] - box[1], box[2] - box[0], 2), np.float32)
    grid[..., 0] = np.arange(box[0], box[2])
    grid[..., 1] = np.arange(box[1], box[3])[:, None]
    return cv2.perspectiveTransform(grid, change) - grid


def _square(matrix: np.ndarray) -> np.ndarray:
    return matrix if len(matrix) == 3 else np.vstack([matrix, [0, 0, 1]])
