"""Points followed by themselves: pyramidal Lucas-Kanade, whose cost grows with people, not with pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial

import cv2
import numpy as np

from ptfast._check import check_dtype, check_integer, check_positive, check_shape
from ptfast.pipeline.flow.carrying import checked_step
from ptfast.pipeline.flow.fields import is_inside
from ptfast.pipeline.flow.images import FlowImage, check_same_size, check_short_side, grey_image

STOP = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS  # after so many steps, or a short one


@dataclass(frozen=True)
class SparseFlow:
    """Points followed by pyramidal Lucas-Kanade, there and back again; a `PointFlow`.

    Attributes:
        max_error: Pixels by which a point may miss its place after going there and back again. None checks that points
            are found, and start and end inside the image, alone.
        short_side: Shorter side of the images as they are seen, in pixels; larger ones are reduced. None for their own.
        window: Width and height of what is compared around a point, in pixels of the reduced image. OpenCV compares
            eight pixels of a row at once and the rest one by one, so that 16 take about 0.6 times as long as 15.
        levels: How often the images are halved, at most.
        steps: Newton steps of a point on each level, at most.
        least_step: Length of a step, in pixels of the level, under which it is the last one there.

    Raises:
        ValueError: A setting is out of range.
        TypeError: A setting is no number, or no integer where one is needed.

    Source:
        Bouguet 2001 (pyramidal Lucas-Kanade); Kalal et al. 2010 (forward-backward error).

    Example:
        >>> flow = SparseFlow()
        >>> first, second = flow.prepare(image), flow.prepare(next_image)
        >>> keypoints, ok = carry(poses.keypoints, first, second, flow)
    """

    max_error: float | None = 1.0
    short_side: int | None = None
    window: int = 16
    levels: int = 3
    steps: int = 10
    least_step: float = 0.03

    def __post_init__(self) -> None:
        if self.max_error is not None:
            check_positive("max_error", self.max_error)
        check_short_side(self.short_side)
        check_integer("window", self.window, 3, 255)
        check_integer("levels", self.levels, 0, 10)
        check_integer("steps", self.steps, 1, 100)
        check_positive("least_step", self.least_step)

    def prepare(self, image: np.ndarray) -> FlowImage:
        """An image (H, W, 3) uint8 in grey, (h, w) uint8.

        Raises:
            ValueError: It has another shape, or sides under 12 pixels.
            TypeError: It is not uint8.
        """
        return grey_image("image", image, self.short_side)

    def move(self, points: np.ndarray, first: FlowImage, second: FlowImage) -> tuple[np.ndarray, np.ndarray]:
        """Where points of the first image are in the second.

        Args:
            points: (N, 2) float32 or float64, x then y in pixels.
            first: The image, prepared.
            second: The other one.

        Returns:
            (N, 2) float32, and (N,) bool, True where a point was found and passed its check. One that is outside the
            image, or not found, stays where it is.

        Raises:
            ValueError: A shape is wrong, or the images have different sizes.
            TypeError: `points` has another dtype.
        """
        check_shape("points", points, ("N", 2))
        check_dtype("points", points, ("float32", "float64"))
        check_same_size(first, second)
        forward, backward = partial(self._step, first, second), partial(self._step, second, first)
        points = np.ascontiguousarray(points, np.float32)
        return checked_step(points, first.size, forward, backward, self.max_error)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self)

    def _step(self, first: FlowImage, second: FlowImage, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 2) followed from one image to another, and which were found. OpenCV sees those inside alone."""
        moved, inside = points.copy(), is_inside(points, first.size)
        if not inside.any():
            return moved, inside
        height, width = first.seen.shape
        factor = np.array([first.size[1] / width, first.size[0] / height], np.float32)
        half = np.float32(0.5)
        seen = (points[inside] + half) / factor - half
        window, stop = (self.window, self.window), (STOP, self.steps, self.least_step)
        ends, status, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            first.seen, second.seen, seen, None, winSize=window, maxLevel=self.levels, criteria=stop
        )
        good = (status[:, 0] == 1) & np.isfinite(ends).all(1)
        found = inside.copy()
        found[inside] = good
        moved[found] = (ends[good] + half) * factor - half
        return moved, found
