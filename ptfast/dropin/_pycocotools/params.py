"""Settings of COCO's evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.dropin._originals import StandIn


class Params(metaclass=StandIn):
    """Settings of an evaluation, as pycocotools.cocoeval.Params.

    Attributes:
        imgIds: The images to evaluate.
        catIds: The categories.
        iouThrs: (T,) thresholds of OKS or IoU.
        recThrs: (R,) recalls at which precision is sampled.
        maxDets: Numbers of detections of an image and category that count.
        areaRng: Least and greatest area of an object, in several ranges.
        areaRngLbl: Their names.
        useCats: 1 to tell categories apart, 0 not to.
        kpt_oks_sigmas: (K,) sigmas of OKS, for keypoints alone.
        iouType: "segm", "bbox" or "keypoints".
        useSegm: Deprecated: None, 1 for "segm", else "bbox".
    """

    kpt_oks_sigmas: np.ndarray

    def __init__(self, iouType: str = "segm") -> None:
        if iouType in ("segm", "bbox"):
            self.setDetParams()
        elif iouType == "keypoints":
            self.setKpParams()
        else:
            raise Exception("iouType not supported")
        self.iouType = iouType
        self.useSegm: int | None = None

    def setDetParams(self) -> None:
        """COCO's settings for boxes and masks."""
        self._set({"all": (0, 1e5), "small": (0, 32), "medium": (32, 96), "large": (96, 1e5)}, [1, 10, 100])

    def setKpParams(self) -> None:
        """COCO's settings for keypoints."""
        self._set({"all": (0, 1e5), "medium": (32, 96), "large": (96, 1e5)}, [20])
        face, arms, legs = [0.26, 0.25, 0.25, 0.35, 0.35], [0.79, 0.79, 0.72, 0.72, 0.62, 0.62], [1.07, 0.87, 0.89]
        self.kpt_oks_sigmas = np.array([*face, *arms, *np.repeat(legs, 2)]) / 10

    def _set(self, sides: dict[str, tuple[float, float]], limits: list[int]) -> None:
        self.imgIds: list[Any] = []
        self.catIds: list[Any] = []
        self.iouThrs = np.linspace(0.5, 0.95, 10)
        self.recThrs = np.linspace(0, 1, 101)
        self.maxDets = limits
        self.areaRng = [[low**2, high**2] for low, high in sides.values()]
        self.areaRngLbl = list(sides)
        self.useCats = 1
