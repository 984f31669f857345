"""People of YOLO's pose networks, as Ultralytics exports them.

Source:
    Maji et al. 2022 (YOLO-Pose), and the exporting code of Ultralytics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ptfast.pipeline.onnx.found import corners, suppressed, with_joints
from ptfast.pipeline.onnx.network import Dims
from ptfast.pipeline.people import Found


def has_people(outputs: Mapping[str, Dims], metadata: Mapping[str, str], joints: int) -> bool:
    """Returns True for one output (B, 5 + 3 K, A), or one whose metadata say so of more classes or free axes."""
    shape = only_shape(outputs)
    least = 5 + 3 * joints
    if not shape or shape[1] == least:
        return bool(shape)
    return is_pose(metadata, joints) and metadata.get("end2end") != "True" and (shape[1] is None or shape[1] > least)


def has_final_people(outputs: Mapping[str, Dims], metadata: Mapping[str, str], joints: int) -> bool:
    """Returns True for one output (B, N, 6 + 3 K), of networks that need no suppression."""
    shape = only_shape(outputs)
    if not shape or shape[2] is not None:
        return shape[2:] == (6 + 3 * joints,)
    return is_pose(metadata, joints) and metadata.get("end2end") == "True"


def is_pose(metadata: Mapping[str, str], joints: int) -> bool:
    """Returns True if Ultralytics' metadata speak of K joints with x, y and score."""
    return re.findall(r"\d+", metadata.get("kpt_shape", "")) == [str(joints), "3"]


def only_shape(outputs: Mapping[str, Dims]) -> Dims:
    """The shape of the only output, if that has three axes; else none."""
    shapes = [*outputs.values()]
    return shapes[0] if len(shapes) == 1 and len(shapes[0]) == 3 else ()


def people(columns: np.ndarray, joints: int, min_score: float, overlap: float) -> Found:
    """People.

    Args:
        columns: (4 + C + 3 K, A): of each cell centre, width and height, scores of C classes, of which a person is the
            first, then x, y and score of the joints.
        joints: K.
        min_score: Score under which there is nobody.
        overlap: IoU above which a person yields to a better one.
    """
    rows = columns.T[columns[4] >= min_score]
    keypoints = rows[:, -3 * joints :].reshape(len(rows), joints, 3)
    return suppressed(with_joints(corners(rows[:, :4]), rows[:, 4], keypoints), overlap)


def final_people(rows: np.ndarray, min_score: float) -> Found:
    """People of rows (N, 6 + 3 K): xyxy, score and class of a person, then x, y and score of the joints."""
    rows = rows[rows[:, 4] >= min_score]
    return with_joints(rows[:, :4], rows[:, 4], rows[:, 6:].reshape(len(rows), -1, 3))


def shares(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 RGB as the input, (3, h, w) float32 red, green and blue from 0 to 1."""
    return image.transpose(2, 0, 1) / np.float32(255)
