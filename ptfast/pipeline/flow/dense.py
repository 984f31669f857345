"""Points moved by the flow of every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ptfast._check import Array, check_positive, check_shape
from ptfast.pipeline.detectors import settings_of
from ptfast.pipeline.flow.carrying import checked_step
from ptfast.pipeline.flow.fields import Flow, FlowField
from ptfast.pipeline.flow.images import FlowImage, check_image, check_same_size


@dataclass(frozen=True)
class DenseFlow:
    """Points moved by a flow of every pixel, which is looked up where they are; a `PointFlow`.

    Attributes:
        flow: `OpenCvFlow`, `NetworkFlow`, or a function of your own of two images (H, W, 3) uint8 that gives (H, W, 2)
            float32 pixels.
        max_error: Pixels by which a point may miss its place after going there and back again. It costs a second flow,
            from the second image to the first. None checks that points start and end inside the image, alone.

    Raises:
        ValueError: max_error is not positive.
        TypeError: max_error is no number.

    Example:
        >>> flow = DenseFlow(OpenCvFlow("dis-fast"))
        >>> first, second = flow.prepare(image), flow.prepare(next_image)
        >>> keypoints, ok = carry(poses.keypoints, first, second, flow)
    """

    flow: Flow
    max_error: float | None = None

    def __post_init__(self) -> None:
        if self.max_error is not None:
            check_positive("max_error", self.max_error)

    def prepare(self, image: Array) -> FlowImage:
        """An image (H, W, 3) uint8, prepared for `move`.

        Raises:
            ValueError: It has another shape, or sides under 12 pixels.
            TypeError: It is not uint8.
        """
        prepare = getattr(self.flow, "prepare", None)
        return FlowImage(image, check_image("image", image)) if prepare is None else prepare(image)

    def move(self, points: Array, first: FlowImage, second: FlowImage) -> tuple[Array, Array]:
        """Where points of the first image are in the second.

        Args:
            points: (N, 2) float32, x then y in pixels; a NumPy array or torch tensor.
            first: The image, prepared.
            second: The other one.

        Returns:
            (N, 2) float32, and (N,) bool, True where the flow passed its check.

        Raises:
            ValueError: A shape is wrong, or the images have different sizes.
        """
        check_shape("points", points, ("N", 2))
        check_same_size(first, second)
        forward = partial(moved_by, self.between(first, second))
        backward = None if self.max_error is None else partial(moved_by, self.between(second, first))
        return checked_step(points, first.size, forward, backward, self.max_error)

    def between(self, first: FlowImage, second: FlowImage) -> FlowField:
        """The flow from one prepared image to another."""
        own: Any = getattr(self.flow, "between", None)
        if own is not None:
            return own(first, second)
        values = self.flow(first.seen, second.seen)
        check_shape("flow", values, ("H", "W", 2), H=first.size[0], W=first.size[1])
        return FlowField(values, first.size)

    def depends_on(self) -> object:
        """Settings that the results depend on, in JSON's types; None for a flow that does not say."""
        return {"flow": settings_of(self.flow), "max_error": self.max_error}


def moved_by(field: FlowField, points: Array) -> tuple[Array, Array]:
    """Points (N, 2) moved by a field, and which of them are inside it."""
    shift, inside = field.at(points)
    return points + shift, inside
