"""Box tracks: published figures, cases counted by hand, py-motmetrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.evaluation.boxes import evaluate, paired_iou
from ptfast.io import read_poses
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses

NO_JOINTS = Skeleton("boxes", (), (), (), ())


def tracks(frames: list[list[tuple[int, float]]], **columns: Any) -> Poses:
    """Boxes of 10 by 10 at (x, 0), given as (track id, x) by frame."""
    boxes = np.array([(x, 0, x + 10, 10) for frame in frames for _, x in frame], float).reshape(-1, 4)
    given: dict[str, Any] = {
        "keypoints": np.zeros((len(boxes), 0, 2)),
        "frame_offsets": np.cumsum([0] + [len(frame) for frame in frames]),
        "skeleton": NO_JOINTS,
        "boxes": boxes,
        "track_ids": np.array([name for frame in frames for name, _ in frame], int),
    }
    return Poses(**(given | columns))


def test_equals_the_published_figures(data: Path) -> None:
    names = ("TUD-Campus", "TUD-Stadtmitte")
    truth, results = (
        {name: read_poses(data / "mot" / name / file) for name in names} for file in ("gt.txt", "test.txt")
    )
    result = evaluate(truth, results)  # type: ignore[arg-type]
    figures = [(round(part.mota, 1), round(part.idf1, 1)) for part in (*result.sequences.values(), result)]
    assert figures == [(52.6, 55.8), (56.4, 64.5), (55.5, 62.4)]


def test_events_counted_by_hand() -> None:
    truth = tracks([[(1, 0), (2, 100)]] * 3)
    result = evaluate(truth, tracks([[(7, 0)], [(7, 0), (8, 102.5)], [(9, 0), (8, 100), (5, 50)]]))
    assert (result.objects, result.matches, result.switches, result.misses, result.false_positives) == (6, 4, 1, 1, 1)
    assert result.mota == pytest.approx(50)
    assert result.motp == pytest.approx(100 * (4 + 0.6) / 5)
    assert (result.precision, result.recall) == pytest.approx((100 * 5 / 6, 100 * 5 / 6))
    assert result.idf1 == pytest.approx(100 * 2 * 4 / 12)


@pytest.mark.parametrize(("min_iou", "matches"), [(0.5, 1), (0.51, 0)])
def test_min_iou_is_enough(min_iou: float, matches: int) -> None:
    wide = tracks([[(1, 0)]], boxes=np.array([[0.0, 0.0, 20.0, 10.0]]))
    assert evaluate(wide, tracks([[(1, 0)]]), min_iou=min_iou).matches == matches


def test_frames_are_matched_by_id_and_may_be_missing() -> None:
    truth = tracks([[(1, 0)], [(1, 50)], [(1, 90)]], frame_ids=np.array([1, 3, 4]))
    results = tracks([[(1, 90)], [(1, 0)], [(1, 50)]], frame_ids=np.array([4, 1, 2]))
    result = evaluate(truth, results)
    assert (result.matches, result.misses, result.false_positives) == (2, 1, 1)


def test_boxes_marked_as_not_to_be_scored_take_no_part() -> None:
    truth = tracks([[(1, 0), (2, 50)]], scores=np.array([1.0, 0.0]))
    assert evaluate(truth, tracks([[(1, 0), (-1, 80)]])).to_dict()["mota"] == 100


def test_nothing_on_a_side() -> None:
    some, nothing = tracks([[(1, 0)]]), tracks([[]])
    assert (evaluate(some, nothing).misses, evaluate(nothing, some).false_positives) == (1, 1)
    figures = json.loads(json.dumps(evaluate(nothing, nothing).to_dict(), allow_nan=False))
    assert figures["mota"] is None


@pytest.mark.parametrize("seed", range(5))
def test_equals_motmetrics(seed: int) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    rng = np.random.default_rng(seed)

    def crowd() -> list[list[tuple[int, float]]]:
        return [
            [(int(i), 15 * float(i % 4) + float(rng.normal(0, 3))) for i in rng.permutation(6)[: rng.integers(0, 6)]]
            for _ in range(30)
        ]

    truth, results = crowd(), crowd()
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for objects, hypotheses in zip(truth, results, strict=True):
        a, b = (np.array([x for _, x in frame]) for frame in (objects, hypotheses))
        shared = np.maximum(0, 10 - np.abs(a[:, None] - b))
        iou = shared / (20 - shared)
        ids = [[name for name, _ in frame] for frame in (objects, hypotheses)]
        accumulator.update(*ids, np.where(iou >= 0.5, 1 - iou, np.nan))
    names = ["mota", "motp", "precision", "recall", "idf1", "num_switches", "num_misses", "num_false_positives"]
    expected = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    result = evaluate(tracks(truth), tracks(results))
    assert (result.switches, result.misses, result.false_positives) == tuple(int(expected[name]) for name in names[5:])
    shares = (result.mota, 100 - result.motp, result.precision, result.recall, result.idf1)
    assert shares == pytest.approx([100 * expected[name] for name in names[:5]], abs=1e-4)


def test_iou_of_pairs() -> None:
    a = np.array([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2], [1, 1, 1, 1]])
    b = np.array([[1.0, 0, 3, 2], [2, 0, 4, 2], [0, 0, 2, 2], [1, 1, 1, 1]])
    assert paired_iou(a, b).tolist() == pytest.approx([1 / 3, 0, 1, 0])


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match="min_iou must be between 0 and 1, got 2"):
        evaluate(tracks([[(1, 0)]]), tracks([[(1, 0)]]), min_iou=2)
    with pytest.raises(ValueError, match="results of sequence '', frame 0: expected each track id once, found 3 twice"):
        evaluate(tracks([[(1, 0)]]), tracks([[(3, 0), (3, 50)]]))
