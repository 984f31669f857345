"""COCO's similarities between detections and annotations, for many images in one go and to the last bit.

Matches hang on whether a similarity reaches a threshold, and on which of equal ones comes last. So the original's
operations are done in its order and in float64, where ptfast.ops.oks_matrix and iou_matrix round in another way.
"""

from __future__ import annotations

import numpy as np

from ptfast._columns import frame_pairs
from ptfast.dropin._pycocotools.cells import Cells, number_lists, numbers
from ptfast.dropin._sigmas import joint_sigmas

_AT_ONCE = 1 << 14  # pairs that share the intermediate arrays, for the cache's sake


def oks_of_pairs(cells: Cells, sigmas: np.ndarray) -> np.ndarray:
    """OKS of all pairs within cells.

    Args:
        cells: Annotations with keypoints, area and, where no joint is labelled, bbox; detections with keypoints.
        sigmas: (K,) COCO's.

    Returns:
        (P,) float64: cell after cell, in it detection after detection, for each annotation after annotation.
    """
    cells = cells.without_empty()
    row, column = frame_pairs(cells.found_offsets, cells.truth_offsets)
    values = np.empty(len(row))
    if not len(row):
        return values
    found, truth = number_lists(cells.found, "keypoints"), number_lists(cells.truth, "keypoints")
    area = numbers(cells.truth, "area") + np.spacing(1)
    labelled = truth[:, 2::3] > 0
    variances = (joint_sigmas(np.asarray(sigmas), labelled.shape[1]) * 2) ** 2
    joints = np.argsort(~labelled, axis=1, kind="stable")  # the labelled ones first
    x, y = (np.take_along_axis(truth[:, axis::3], joints, 1) for axis in (0, 1))
    counts = np.count_nonzero(labelled, axis=1)
    boxes = number_lists([each for each, count in zip(cells.truth, counts.tolist(), strict=True) if count == 0], "bbox")
    box = np.cumsum(counts == 0) - 1
    counts = counts[column]
    # Annotations with equally many joints go together: a row's sum is then taken over an array of that length, as the
    # original does, and NumPy's order of addition depends on it.
    for count in np.unique(counts).tolist():
        pairs = np.flatnonzero(counts == count)
        for some in np.array_split(pairs, -(-len(pairs) // _AT_ONCE)):
            r, c = row[some], column[some]
            if count:
                at = (3 * joints[:, :count])[c] + (found.shape[1] * r)[:, None]
                squared = (found.ravel()[at] - x[:, :count][c]) ** 2 + (found.ravel()[at + 1] - y[:, :count][c]) ** 2
                squared = squared / variances[joints[:, :count]][c]
            else:
                squared = _squared_beyond_box(found[r], boxes[box[c]]) / variances
            terms = np.exp(-(squared / area[c][:, None] / 2))
            values[some] = terms.sum(1) / terms.shape[1]
    return values


def _squared_beyond_box(poses: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(P, K) squared distance of joints (P, 3 K) from boxes (P, 4), x, y, width and height, grown thrice as large."""
    left, top, width, height = (side[:, None] for side in boxes.T)
    x, y = poses[:, 0::3], poses[:, 1::3]
    dx = np.maximum(0, (left - width) - x) + np.maximum(0, x - (left + width * 2))
    dy = np.maximum(0, (top - height) - y) + np.maximum(0, y - (top + height * 2))
    return dx**2 + dy**2


def iou_of_pairs(cells: Cells) -> np.ndarray:
    """IoU of all pairs of boxes within cells, or with a crowd the share of the detection that lies in it.

    Args:
        cells: Annotations with bbox (x, y, width, height) and iscrowd, detections with bbox.

    Returns:
        (P,) float64: cell after cell, in it detection after detection, for each annotation after annotation.
    """
    crowd = np.array([int(annotation["iscrowd"]) != 0 for annotation in cells.truth], bool)
    row, column = frame_pairs(cells.found_offsets, cells.truth_offsets)
    if not len(row):
        return np.empty(0)
    found = np.asarray(number_lists(cells.found, "bbox"), np.float64)
    truth = np.asarray(number_lists(cells.truth, "bbox"), np.float64)
    (x, y, width, height), (left, top, wide, high) = found.T[:, row], truth.T[:, column]
    across = np.fmin(width + x, wide + left) - np.fmax(x, left)
    down = np.fmin(height + y, high + top) - np.fmax(y, top)
    common, area = across * down, width * height
    with np.errstate(divide="ignore", invalid="ignore"):
        share = common / np.where(crowd[column], area, area + wide * high - common)
    return np.where((across <= 0) | (down <= 0), 0, share)
