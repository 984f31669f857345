"""RTMDet's boxes and RTMO's people, as MMDeploy exports them: suppression of doubles is part of the graph.

Source:
    Lyu et al. 2022 (RTMDet), Lu et al. 2024 (RTMO), and the exporting code of MMDeploy.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ptfast.pipeline.onnx.found import only_boxes, with_joints
from ptfast.pipeline.onnx.network import Dims
from ptfast.pipeline.people import Found

MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # blue, green, red
STD = np.array([57.375, 57.12, 58.395], np.float32)
PERSON = 0


def has_boxes(outputs: Mapping[str, Dims]) -> bool:
    """Returns True for "dets" (B, N, 5) and "labels" (B, N)."""
    return fits(outputs, {"dets": (None, None, 5), "labels": (None, None)})


def has_people(outputs: Mapping[str, Dims], joints: int) -> bool:
    """Returns True for "dets" (B, N, 5) and "keypoints" (B, N, K, 3)."""
    return fits(outputs, {"dets": (None, None, 5), "keypoints": (None, None, joints, 3)})


def boxes(outputs: Mapping[str, np.ndarray], min_score: float) -> Found:
    """The people among boxes "dets" (N, 5), xyxy and score, of classes "labels" (N,)."""
    found, scores = np.split(outputs["dets"], [4], 1)
    some = (scores[:, 0] >= min_score) & (outputs["labels"] == PERSON)
    return only_boxes(found, scores[:, 0]).select(some)


def people(outputs: Mapping[str, np.ndarray], min_score: float) -> Found:
    """People of boxes "dets" (N, 5), xyxy and score, and "keypoints" (N, K, 3), x, y and score."""
    found, scores = np.split(outputs["dets"], [4], 1)
    return with_joints(found, scores[:, 0], outputs["keypoints"]).select(scores[:, 0] >= min_score)


def normalised(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 RGB as RTMDet's input, (3, h, w) float32 blue, green and red."""
    return ((image[..., ::-1] - MEAN) / STD).transpose(2, 0, 1)


def fits(outputs: Mapping[str, Dims], wanted: Mapping[str, Dims]) -> bool:
    """Returns True if outputs have these names and, where both are known, these sizes."""
    return outputs.keys() == wanted.keys() and all(
        len(outputs[name]) == len(pattern)
        and all(side is None or size is None or side == size for side, size in zip(outputs[name], pattern, strict=True))
        for name, pattern in wanted.items()
    )
