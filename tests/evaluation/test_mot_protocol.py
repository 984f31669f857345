"""Which boxes count on MOT16, MOT17 and MOT20, and TrackEval's figures for drawn sequences with distractors.

trackeval_boxes.json holds drawn ground truth [frame, id, left, top, width, height, flag, class] and results [frame, id,
left, top, width, height], and what trackeval 1.3.0's CLEAR and Identity give for them under each benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.evaluation.boxes import BoxResult, evaluate
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

DRAWN = json.loads((Path(__file__).parent / "trackeval_boxes.json").read_text())
NO_JOINTS = Skeleton("boxes", (), (), (), ())
COUNTS = ("matches", "switches", "misses", "false_positives")
# One pedestrian, one of flag 0, a static person and a reflection, a car; in two frames and far apart.
MIXED = [
    [frame, name, 100 * name, 0, 20, 40, flag, kind]
    for frame in (1, 2)
    for name, flag, kind in ((1, 1, 1), (2, 0, 1), (3, 0, 7), (4, 1, 12), (5, 0, 3))
]


def boxes(rows: Sequence[Sequence[int]], **features: Any) -> Poses:
    """Boxes of rows of MOT text, with flags and classes where these are there."""
    table = np.array(sorted(rows, key=lambda row: row[0]), np.float64)
    frames, frame = np.unique(table[:, 0].astype(np.int64), return_inverse=True)
    flagged = table.shape[1] > 6
    return Poses(
        keypoints=np.zeros((len(table), 0, 2)),
        frame_offsets=np.append(0, np.cumsum(np.bincount(frame))),
        skeleton=NO_JOINTS,
        boxes=np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], 1),
        track_ids=table[:, 1].astype(np.int64),
        scores=table[:, 6] if flagged else None,
        frame_ids=frames,
        features={"mot_class": table[:, 7].astype(np.int64)} if flagged else features,
    )


def counts(result: BoxResult) -> tuple[int, ...]:
    return tuple(getattr(result, name) for name in COUNTS)


@pytest.mark.parametrize("protocol", ["MOT15", "MOT16", "MOT17", "MOT20"])
def test_equals_trackeval(protocol: Any) -> None:
    sides = [{n: boxes(sequence[side]) for n, sequence in DRAWN["sequences"].items()} for side in ("truth", "results")]
    result = evaluate(*sides, benchmark=protocol)
    for name, expected in DRAWN["trackeval"][protocol].items():
        part = result if name == "total" else result.sequences[name]
        assert counts(part) == tuple(expected[count] for count in COUNTS)
        for share in expected.keys() - set(COUNTS):
            # Boxes are float32, which only the mean overlap feels.
            tolerance = 1e-4 if share == "motp" else 1e-6
            assert getattr(part, share) == pytest.approx(expected[share], rel=0, abs=tolerance), (name, share)


@pytest.mark.parametrize("protocol", [None, "MOT15", "MOT16", "MOT17", "MOT20"])
def test_ground_truth_against_itself_is_100(protocol: Any) -> None:
    truth = boxes(MIXED)
    result = evaluate(truth, truth, benchmark=protocol)
    assert (result.mota, result.idf1, result.motp) == pytest.approx((100, 100, 100))
    assert result.objects == (4 if protocol == "MOT15" else 2)


def test_results_on_distractors_are_removed_and_those_on_flag_0_pedestrians_and_cars_are_wrong() -> None:
    results = boxes([row[:6] for row in MIXED])
    assert counts(evaluate(boxes(MIXED), results)) == (2, 0, 0, 4)


def test_a_vehicle_is_a_distractor_in_mot20_alone() -> None:
    rows = [[1, 1, 0, 0, 20, 40, 1, 1], [1, 2, 500, 0, 20, 40, 0, 6]]
    truth, results = boxes(rows), boxes([row[:6] for row in rows])
    assert counts(evaluate(truth, results)) == (1, 0, 0, 1)
    assert counts(evaluate(truth, results, benchmark="MOT20")) == (1, 0, 0, 0)


def test_results_on_flag_0_boxes_are_removed_where_there_are_no_classes() -> None:
    rows = [[1, 1, 0, 0, 20, 40], [1, 2, 500, 0, 20, 40]]
    truth = replace(boxes(rows), scores=np.array([1.0, 0.0]))
    assert counts(evaluate(truth, truth)) == (1, 0, 0, 0)
    assert counts(evaluate(truth, boxes([*rows, [1, 3, 900, 0, 20, 40]]))) == (1, 0, 0, 1)
    assert counts(evaluate(truth, boxes(rows), benchmark="MOT15")) == (1, 0, 0, 1)


def test_a_pedestrian_before_a_distractor_keeps_its_result() -> None:
    rows = [[1, 1, 0, 0, 20, 40, 1, 1], [1, 2, 4, 0, 20, 40, 1, 8]]
    assert counts(evaluate(boxes(rows), boxes([[1, 7, 1, 0, 20, 40]]))) == (1, 0, 0, 0)
    assert counts(evaluate(boxes(rows), boxes([[1, 7, 3, 0, 20, 40]]))) == (0, 0, 1, 0)


def test_frames_in_any_order_keep_their_flags_and_classes() -> None:
    truth = boxes(MIXED)
    backwards = Poses.concatenate([truth.frame(1), truth.frame(0)])
    assert counts(evaluate(backwards, boxes([row[:6] for row in MIXED]))) == (2, 0, 0, 4)


@pytest.mark.parametrize(("kind", "found"), [(0, "none"), (14, "14")])
def test_a_class_that_is_not_of_mot_is_named(kind: int, found: str) -> None:
    truth = boxes([[1, 1, 0, 0, 20, 40, 1, kind]])
    with pytest.raises(
        ValueError, match=f"ground truth of sequence '': expected a class from 1 to 13 .* found {found}"
    ):
        evaluate(truth, boxes([[1, 1, 0, 0, 20, 40]]), benchmark="MOT17")


def test_an_unknown_benchmark_is_named() -> None:
    truth = boxes([[1, 1, 0, 0, 20, 40]])
    with pytest.raises(
        ValueError, match="benchmark must be one of 'MOT15', 'MOT16', 'MOT17', 'MOT20' or None, got 'x'"
    ):
        evaluate(truth, truth, benchmark="x")  # type: ignore[arg-type]
