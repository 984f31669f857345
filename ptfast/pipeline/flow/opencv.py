"""OpenCV's dense optical flow: DIS and Farnebäck's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

import cv2
import numpy as np

from ptfast.pipeline.flow.fields import FlowField
from ptfast.pipeline.flow.images import FlowImage, check_same_size, check_short_side, grey_image

Algorithm = Literal["dis-ultrafast", "dis-fast", "dis-medium", "farneback"]
PRESETS = {
    "dis-ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "dis-fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "dis-medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
DIS_SAFE_SIDE = 32  # with a shorter side, and the other more than twice as long, OpenCV 5.0's DIS ends the process
FARNEBACK = {"pyr_scale": 0.5, "levels": 5, "winsize": 15, "iterations": 3, "poly_n": 7, "poly_sigma": 1.5, "flags": 0}


@dataclass(frozen=True)
class OpenCvFlow:
    """Optical flow by OpenCV, a `Flow`: two images in, the flow of every pixel out.

    Attributes:
        algorithm: "dis-ultrafast", "dis-fast" or "dis-medium", DIS with OpenCV's presets, or "farneback".
        short_side: Shorter side of the images as they are seen, in pixels; larger ones are reduced. None for their own.

    Raises:
        ValueError: There is no such algorithm, or the side is less than 32.
        TypeError: The side is no integer.

    Source:
        Kroeger et al. 2016 (DIS); Farnebäck 2003.

    Example:
        >>> flow = OpenCvFlow("dis-fast", short_side=256)
        >>> field = flow(first, second)
    """

    algorithm: Algorithm = "dis-fast"
    short_side: int | None = 256

    def __post_init__(self) -> None:
        if self.algorithm not in (*PRESETS, "farneback"):
            known = ", ".join((*PRESETS, "farneback"))
            raise ValueError(f"algorithm must be one of {known}, got {self.algorithm!r}")
        check_short_side(self.short_side)

    def __call__(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The flow from one image to another.

        Args:
            first: (H, W, 3) uint8 red, green, blue.
            second: The same.

        Returns:
            (H, W, 2) float32 pixels, x then y.

        Raises:
            ValueError: The images have different sizes, or sides under 12 pixels.
            TypeError: They are not uint8.
        """
        prepared = (grey_image(*each, self.short_side) for each in (("first", first), ("second", second)))
        flow: np.ndarray = self.between(*prepared).full()
        return flow

    def prepare(self, image: np.ndarray) -> FlowImage:
        """An image in grey at the size at which it is seen, (h, w) uint8; errors as in `__call__`."""
        return grey_image("image", image, self.short_side)

    def between(self, first: FlowImage, second: FlowImage) -> FlowField:
        """The flow from one prepared image to another."""
        check_same_size(first, second)
        return FlowField(computation(self.algorithm)(first.seen, second.seen), first.size)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self)


def computation(algorithm: Algorithm) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The function of two grey images (h, w) that gives (h, w, 2) float32; one of DIS is for one call at a time."""
    if algorithm == "farneback":
        return lambda *pair: cv2.calcOpticalFlowFarneback(*pair, None, **FARNEBACK)  # type: ignore[call-overload]
    dis = cv2.DISOpticalFlow.create(PRESETS[algorithm])

    def compute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        height, width = first.shape
        flow = dis.calc(enlarged(first), enlarged(second), None)  # type: ignore[call-overload]
        return np.ascontiguousarray(flow[:height, :width])

    return compute


def enlarged(image: np.ndarray) -> np.ndarray:
    """A grey image (h, w), its last row and column repeated up to sides with which DIS does not crash."""
    more = [max(DIS_SAFE_SIDE - side, 0) for side in image.shape]
    if not any(more):
        return image
    return cv2.copyMakeBorder(image, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
