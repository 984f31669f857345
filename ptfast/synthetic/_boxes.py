"""The box of a body from its joints."""

from __future__ import annotations

import numpy as np

from ptfast.structures import joint_boxes

_MARGIN = 0.15  # of the joints' extent, on each side: a body reaches beyond its joints


def body_boxes(keypoints: np.ndarray, joint_visibility: np.ndarray) -> np.ndarray:
    """(N, 4) float32 xyxy: the extent of the joints that are not absent, and a margin of 15 % on each side.

    Args:
        keypoints: (N, K, 2) pixels.
        joint_visibility: (N, K), 0 where a joint is absent.
    """
    boxes = joint_boxes(keypoints, joint_visibility)
    margin = _MARGIN * np.tile(boxes[:, 2:] - boxes[:, :2], (1, 2))
    return (boxes + margin * np.array([-1, -1, 1, 1])).astype(np.float32)
