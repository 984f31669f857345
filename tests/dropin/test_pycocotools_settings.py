"""Odd settings of COCOeval: what pycocotools makes of them, or the same error at the same step."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import pycocotools as dropin

KEYPOINTS = [5, 6, 2] * 17
TRUTH = {
    "images": [{"id": 1}, {"id": 2}],
    "categories": [{"id": 1, "name": "person", "keypoints": ["joint"] * 17}],
    "annotations": [
        {"id": i + 1, "image_id": i % 2 + 1, "category_id": 1, "bbox": [1, 2, 30, 40 + i], "area": 1200, "iscrowd": 0,
         "keypoints": KEYPOINTS, "num_keypoints": 17}
        for i in range(4)
    ],
}  # fmt: skip
FOUND = [
    {"image_id": i % 2 + 1, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5 + i / 10, "keypoints": KEYPOINTS}
    for i in range(4)
]
SETTINGS: dict[str, list[Any]] = {
    "iouThrs": [[], np.array([]), [0.5], (0.5, 0.75), np.array([0.5, 0.75]), 0.5, None, [np.nan]],
    "recThrs": [[], [0.0], [0.5, 0.2], np.array([]), None, 0.5],
    "maxDets": [[], [1], [20], [1, 10], [1, 10, 100], (1, 10, 100), None, 5, [0], [100, 10, 1]],
    "areaRng": [[], [[0, 1e10]], None, [[0]]],
    "areaRngLbl": [[], ["all"], None],
    "imgIds": [[], [1], [99], None, 1],
    "catIds": [[], [5], None, 1],
    "useCats": [0, 1, 2, None, True],
}


def outcome(coco: Any, evaluator: Any, kind: str, setting: str, value: Any) -> tuple[Any, ...]:
    """The step that fails and how, or the figures."""
    step = "load"
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            truth = coco()
            truth.dataset = copy.deepcopy(TRUTH)
            truth.createIndex()
            evaluation = evaluator(truth, truth.loadRes(copy.deepcopy(FOUND)), kind)
            setattr(evaluation.params, setting, value)
            for step in ("evaluate", "accumulate", "summarize"):
                getattr(evaluation, step)()
        except Exception as error:
            return step, type(error)
    return "done", np.nan_to_num(evaluation.stats, nan=-2).tolist()


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_odd_settings_end_as_in_the_original(kind: str, setting: str) -> None:
    original = peer("pycocotools.coco").COCO, peer("pycocotools.cocoeval").COCOeval
    for value in SETTINGS[setting]:
        ours = outcome(dropin.COCO, dropin.COCOeval, kind, setting, value)
        assert ours == outcome(*original, kind, setting, value), repr(value)


@pytest.mark.parametrize("kind", ["keypoints", "bbox"])
def test_no_thresholds_fail_in_summarize(kind: str) -> None:
    assert outcome(dropin.COCO, dropin.COCOeval, kind, "iouThrs", []) == ("summarize", IndexError)
