"""What a network's outputs say of an image, in the pixels of the network's input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.ops import nms


@dataclass(frozen=True, eq=False)
class Candidates:
    """People, or boxes of them, of one image.

    Attributes:
        boxes: (N, 4) float32 xyxy.
        scores: (N,) float32.
        keypoints: (N, K, 3) float32 x, y and score, or None.
    """

    boxes: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray | None = None

    def select(self, rows: np.ndarray) -> Candidates:
        """Those of `rows`, (M,) indices or an (N,) bool mask."""
        keypoints = None if self.keypoints is None else self.keypoints[rows]
        return Candidates(self.boxes[rows], self.scores[rows], keypoints)

    def suppressed(self, overlap: float) -> Candidates:
        """Those that remain after non-maximum suppression, best first."""
        return self.select(nms(self.boxes, self.scores, overlap))


def corners(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) xyxy of boxes (N, 4) that are given by their centre, width and height."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1)
