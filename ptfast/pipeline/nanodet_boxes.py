"""NanoDet as a person detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from ptfast._check import check_integer, check_number
from ptfast.io import Frame
from ptfast.models import NanoDet, decode_nanodet
from ptfast.ops import nms
from ptfast.pipeline.detectors import Boxes, checked
from ptfast.pipeline.images import LONGEST_SIDE, padded

LONG_SIDES = (320, 640)


@dataclass(frozen=True)
class NanoDetSettings:
    """Settings of `NanoDetBoxes`.

    Attributes:
        long_side: Longer side of the images that the network sees, in pixels. Smaller images are enlarged. None is 320
            and 640, one after the other.
        max_people: People of an image, at most.
        min_score: Probability under which there is nobody.
        max_overlap: IoU above which a box yields to a better one.

    Raises:
        ValueError: A setting is out of range.
        TypeError: long_side or max_people is no integer.
    """

    long_side: int | None = None
    max_people: int = 100
    min_score: float = 0.3
    max_overlap: float = 0.6

    def __post_init__(self) -> None:
        if self.long_side is not None:
            check_integer("long_side", self.long_side, 32, LONGEST_SIDE)
        check_integer("max_people", self.max_people, 1)
        check_number("min_score", self.min_score, 0, 1)
        check_number("max_overlap", self.max_overlap, 0, 1)


class NanoDetBoxes:
    """A NanoDet that finds people, as a person detector of `ptfast.pipeline.detectors`.

    Args:
        model: The network.
        settings: How it runs.
        device: Where it runs.
    """

    def __init__(
        self, model: NanoDet, settings: NanoDetSettings | None = None, device: str | torch.device = "cpu"
    ) -> None:
        self.model, self.settings = model.to(device).eval(), settings or NanoDetSettings()
        self.device = torch.device(device)

    @torch.inference_mode()
    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """Detects people in key frames, which go through the network together.

        Args:
            frames: Frames of one size, all decoded.
            keys: Positions of the key frames among them.

        Returns:
            The boxes of each key frame, best first. They may stick out of the image.
        """
        if not keys:
            return []
        images = [frames[key].image for key in keys]
        sides = LONG_SIDES if self.settings.long_side is None else (self.settings.long_side,)
        looks = [self._seen(images, side) for side in sides]  # type: ignore[arg-type]
        return [self._best(boxes) for boxes in zip(*looks, strict=True)]

    def _seen(self, images: Sequence[np.ndarray], long_side: int) -> list[Boxes]:
        """The boxes of each of some images of one size, at a size of the network's."""
        inputs, factor = padded(images, long_side)
        maps = self.model(torch.from_numpy(inputs).to(self.device).permute(0, 3, 1, 2))
        limits = {"overlap": self.settings.max_overlap, "max_detections": self.settings.max_people}
        found = decode_nanodet(maps, min_score=self.settings.min_score, **limits)  # type: ignore[arg-type]
        return [checked(boxes.cpu().numpy() * np.tile(factor, 2), scores.cpu().numpy()) for boxes, scores in found]

    def _best(self, looks: Sequence[Boxes]) -> Boxes:
        """The boxes of all looks at one image, best first, each person once."""
        boxes, scores = (np.concatenate(column) for column in zip(*looks, strict=True))
        kept = nms(boxes, scores, self.settings.max_overlap)[: self.settings.max_people]
        return boxes[kept], scores[kept]

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return asdict(self.settings)
