"""Skeletons, labels and trails on one image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from ptfast._check import check_integer
from ptfast.structures import Poses
from ptfast.viz._palette import BACKGROUND, id_color, mixed

Color = tuple[int, int, int]

_SHIFT = 4  # OpenCV takes coordinates with this many fractional bits
_LIMIT = 20_000.0  # pixels; far beyond any image, and safe as a fixed-point number
_LINE = 0.0105  # line width, in diagonals of the box
_FAINT = 0.4  # opacity of trails and of what is hidden
_LABEL_FONT = cv2.FONT_HERSHEY_DUPLEX

Trail = tuple[int, np.ndarray]  # a track id and (L, 2) pixels, oldest first


def draw_poses(
    image: np.ndarray, poses: Poses, *, labels: bool = True, trails: Sequence[Trail] = (), scale: float = 1.0
) -> np.ndarray:
    """Draws the poses of one frame: a colour for each id, joints as dots, hidden joints faint.

    Lines are as wide as suits a person's size. People whose boxes end lower in the image are drawn over the others.

    Args:
        image: (H, W, 3) uint8, red, green, blue, which stays as it is.
        poses: One frame.
        labels: Writes the ids above the heads.
        trails: Ids and the (L, 2) points that they have passed, oldest first: see `trails_at`.
        scale: Pixels of `image` for one pixel of `poses`.

    Returns:
        (H, W, 3) uint8, a new image.

    Raises:
        ValueError: The image has another shape, or `poses` is not one frame.
        TypeError: The image is not uint8.
    """
    check_image("image", image)
    if len(poses) != 1:
        raise ValueError(f"poses must be of one frame, got {len(poses)}; use poses.frame(f)")
    poses = poses.numpy()
    order = np.argsort(poses.boxes[:, 3], kind="stable")
    people = [_Person(poses, row, scale) for row in order]
    canvas = np.ascontiguousarray(image).copy()
    faint = canvas.copy()
    for track_id, points in trails:
        _draw_trail(faint, _fixed(points * scale), id_color(track_id))
    for person in people:
        person.draw(faint, person.present)
    canvas = cv2.addWeighted(faint, _FAINT, canvas, 1 - _FAINT, 0)
    for person in people:
        person.draw(canvas, person.seen)
    for person in people if labels else ():
        person.draw_label(canvas)
    return canvas


class _Person:
    """One pose in pixels of the image."""

    def __init__(self, poses: Poses, row: int, scale: float) -> None:
        there = np.isfinite(poses.keypoints[row]).all(1)
        self.points = np.where(there[:, None], poses.keypoints[row], 0).astype(np.float64) * scale
        self.present = there & (poses.joint_visibility[row] > 0)
        self.seen = there & (poses.joint_visibility[row] > 1)
        self.edges = poses.skeleton.edges
        self.track_id = int(poses.track_ids[row])
        self.color = id_color(self.track_id)
        x1, y1, x2, y2 = np.nan_to_num(poses.boxes[row].astype(np.float64)).clip(-_LIMIT, _LIMIT).tolist()
        self.width = float(np.clip(_LINE * scale * np.hypot(x2 - x1, y2 - y1), 0.9, 9.0))

    def draw(self, canvas: np.ndarray, joints: np.ndarray) -> None:
        """Bones between and dots on those of the K joints that are True, on a dark rim that parts them from others."""
        bones = [(first, second) for first, second in self.edges if joints[first] and joints[second]]
        for color, extra in ((mixed(self.color, BACKGROUND, 0.8), 1.6), (self.color, 0.0)):
            for first, second in bones:
                corners = _strip(self.points[first], self.points[second], self.width + extra)
                cv2.fillConvexPoly(canvas, corners, color, cv2.LINE_AA, _SHIFT)
        dot = mixed(self.color, (255, 255, 255), 0.55)
        radius = round(max(1.3, 0.75 * self.width) * 2**_SHIFT)
        for joint in np.flatnonzero(joints):
            cv2.circle(canvas, _fixed(self.points[joint]).tolist(), radius, dot, cv2.FILLED, cv2.LINE_AA, _SHIFT)

    def draw_label(self, canvas: np.ndarray) -> None:
        """The id on a plate of its colour above the highest joint."""
        if self.track_id < 0 or not self.present.any():
            return
        points = self.points[self.present]
        x, y = points[points[:, 1].argmin()]
        size = float(np.clip(0.1 * self.width + 0.12, 0.34, 0.7))
        draw_plate(canvas, str(self.track_id), (float(x), float(y) - 3 - 1.5 * self.width), size, self.color)


def draw_plate(canvas: np.ndarray, text: str, bottom: tuple[float, float], size: float, color: Color) -> None:
    """Dark text on a plate whose lower edge is centred at `bottom`, moved to lie within the canvas."""
    (width, height), _ = cv2.getTextSize(text, _LABEL_FONT, size, 1)
    pad = round(0.35 * height)
    full = np.array([width + 2 * pad, height + 2 * pad])
    corner = np.array([bottom[0] - full[0] / 2, bottom[1] - full[1]])
    left, top = np.clip(corner, 0, np.maximum(np.array(canvas.shape[1::-1]) - full - 1, 0)).round().astype(int).tolist()
    cv2.rectangle(canvas, (left, top), (left + int(full[0]), top + int(full[1])), color, cv2.FILLED)
    origin = (left + pad, top + pad + height)
    cv2.putText(canvas, text, origin, _LABEL_FONT, size, BACKGROUND, 1, cv2.LINE_AA)


def _strip(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    """Fixed-point corners (4, 2) of a line. OpenCV's own lines are a whole number of pixels wide, which flickers."""
    along = end - start
    across = np.array([-along[1], along[0]]) * (0.5 * width / max(float(np.hypot(*along)), 1e-6))
    return _fixed(np.stack([start + across, end + across, end - across, start - across]))


def _draw_trail(canvas: np.ndarray, points: np.ndarray, color: Color) -> None:
    """A line that widens towards the newest of the fixed-point points (L, 2)."""
    for age, (first, second) in enumerate(zip(points[:-1].tolist(), points[1:].tolist(), strict=True), 1):
        cv2.line(canvas, first, second, color, 1 + round(age / len(points)), cv2.LINE_AA, _SHIFT)


def trails_at(poses: Poses, frame: int, length: int) -> list[Trail]:
    """Paths of a frame's people over the frames before, for the `trails` of `draw_poses`.

    Args:
        poses: F frames.
        frame: The frame in which the paths end, 0 to F - 1.
        length: Number of frames before it that they reach back, at most.

    Returns:
        For each track id of the frame, -1 left out, the id and its (L, 2) float64 points, oldest first.
    """
    check_integer("frame", frame, 0, len(poses) - 1)
    poses = poses.numpy()
    first = max(0, frame - length)
    rows = slice(int(poses.frame_offsets[first]), int(poses.frame_offsets[frame + 1]))
    ids, keypoints = poses.track_ids[rows], poses.keypoints[rows]
    finite = np.isfinite(keypoints).all(2)
    keypoints, present = np.where(finite[..., None], keypoints, 0), finite & (poses.joint_visibility[rows] > 0)
    now = poses.track_ids[poses.frame_offsets[frame] : poses.frame_offsets[frame + 1]]
    return [(int(one), _path(keypoints[ids == one], present[ids == one])) for one in now if one >= 0]


def _path(keypoints: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(L, 2) centres of a person over time, from joints (L, K, 2) of which (L, K) are there.

    Backwards from the last centre, by the mean step of the joints that two neighbours share: a joint that comes or
    goes makes no jump.
    """
    shared = present[1:] & present[:-1]
    steps = (np.diff(keypoints, axis=0) * shared[..., None]).sum(1) / np.maximum(shared.sum(1), 1)[:, None]
    last = (keypoints[-1] * present[-1][:, None]).sum(0) / max(present[-1].sum(), 1)
    return last - np.concatenate([np.cumsum(steps[::-1], 0)[::-1], np.zeros((1, 2))])


def blank_image(size: Iterable[int]) -> np.ndarray:
    """(H, W, 3) uint8 of `size`, width and height, in the background's colour."""
    width, height = (int(length) for length in size)
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def check_image(name: str, image: np.ndarray) -> None:
    """Raises unless the image is (H, W, 3) uint8 with at least one pixel."""
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"{name} must have shape (H, W, 3), got {tuple(image.shape)}")
    if image.dtype != np.uint8:
        raise TypeError(f"{name} must have dtype uint8, got {image.dtype}")


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(np.clip(points, -_LIMIT, _LIMIT) * 2**_SHIFT).astype(np.int32)
