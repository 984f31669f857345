"""COCO's figures from its precision and recall arrays, and the lines that show them."""

from __future__ import annotations

from typing import Any

import numpy as np

# Kind, IoU threshold (None: their mean), area range and limit of detections of each figure: the i-th of maxDets, or the
# limit itself.
_Line = tuple[str, float | None, str, int]


def keypoint_lines() -> list[_Line]:
    """The ten figures of keypoints."""
    return [
        (kind, threshold, area, 20)
        for kind in ("precision", "recall")
        for threshold, area in ((None, "all"), (0.5, "all"), (0.75, "all"), (None, "medium"), (None, "large"))
    ]


def detection_lines(limits: Any) -> list[_Line]:
    """The twelve figures of boxes and masks. `limits` are three numbers of detections an image."""
    few, some, many = limits[0], limits[1], limits[2]
    return [
        ("precision", None, "all", 100),
        ("precision", 0.5, "all", many),
        ("precision", 0.75, "all", many),
        *(("precision", None, area, many) for area in ("small", "medium", "large")),
        *(("recall", None, "all", limit) for limit in (few, some, many)),
        *(("recall", None, area, many) for area in ("small", "medium", "large")),
    ]


def figure(line: _Line, params: Any, precision: np.ndarray, recall: np.ndarray) -> float:
    """Mean over what is defined, -1 where nothing is; printed as the original prints it.

    Args:
        line: The figure.
        params: The evaluator's.
        precision: (T, R, K, A, M), -1 where undefined.
        recall: (T, K, A, M) likewise.
    """
    kind, threshold, area, limit = line
    values = precision if kind == "precision" else recall
    if threshold is not None:
        values = values[np.where(threshold == params.iouThrs)[0]]
    areas = [i for i, label in enumerate(params.areaRngLbl) if label == area]
    limits = [i for i, each in enumerate(params.maxDets) if each == limit]
    values = values[..., areas, limits]
    defined = values[values > -1]
    mean = np.mean(defined) if len(defined) else -1
    title, short = ("Average Precision", "(AP)") if kind == "precision" else ("Average Recall", "(AR)")
    iou = f"{params.iouThrs[0]:0.2f}:{params.iouThrs[-1]:0.2f}" if threshold is None else f"{threshold:0.2f}"
    print(f" {title:<18} {short} @[ IoU={iou:<9} | area={area:>6s} | maxDets={limit:>3d} ] = {mean:0.3f}")
    return mean
