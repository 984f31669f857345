"""RTMPose's joints, as MMDeploy exports them: a score of every column and every row, for each joint.

Source:
    Li et al. 2022 (SimCC), section 3; Jiang et al. 2023 (RTMPose), and the public code.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ptfast.pipeline.onnx.network import Dims
from ptfast.pipeline.onnx.rtmdet import fits


def has_joints(outputs: Mapping[str, Dims], joints: int) -> bool:
    """Returns True for "simcc_x" (B, K, X) and "simcc_y" (B, K, Y)."""
    return fits(outputs, {"simcc_x": (None, joints, None), "simcc_y": (None, joints, None)})


def joints_of(outputs: Mapping[str, np.ndarray], regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints of crops.

    Args:
        outputs: "simcc_x" (N, K, X) and "simcc_y" (N, K, Y), scores of X columns and Y rows that divide a crop.
        regions: (N, 4) xyxy image pixels of the crops.

    Returns:
        (N, K, 2) float32 image pixels of the best column and row, and (N, K) float32, the lower of their two scores.
    """
    axes = (outputs["simcc_x"], outputs["simcc_y"])
    shares = np.stack([scores.argmax(2) / scores.shape[2] for scores in axes], 2)
    corners = regions.reshape(-1, 2, 2)[:, :, None]
    keypoints = corners[:, 0] + shares * (corners[:, 1] - corners[:, 0])
    return keypoints.astype(np.float32), np.minimum(*(scores.max(2) for scores in axes)).astype(np.float32)
