"""Figures of the official evaluator where scores are missing or equal, frames empty, and poses, people and ids doubled.

official_edges.json holds drawn sequences of integer coordinates, whose head boxes are 6 by 8, and what
leonid-pishchulin/poseval (with motmetrics 1.4.0, SciPy 1.17.1 and NumPy 1.26.4 on a processor with AVX-512) printed for
them in PoseTrack 2017 form, in the order of the sequences there. A person is [id, joint, x, y, joint, x, y, ...], a
pose [id, joint, x, y, score in eighths or null, ...]. MOTP is motmetrics'; counts are those of its accumulators.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.evaluation.posetrack import PoseTrackResult, evaluate
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses

CASES = json.loads((Path(__file__).parent / "official_edges.json").read_text())
COUNTS = ("objects", "detections", "switches", "misses", "false_positives")


def poses(name: str, frames: list[list[list[Any]]], width: int) -> Poses:
    """Poses of a sequence in the file's form. `width` is the number of values of a joint."""
    people = [person for frame in frames for person in frame]
    shape = (len(people), len(POSETRACK_15))
    keypoints, scores = np.zeros((*shape, 2)), np.ones(shape)
    present, scored = np.zeros(shape, bool), np.zeros(shape, bool)
    for row, (_, *values) in enumerate(people):
        for joint, x, y, *score in zip(*(values[start::width] for start in range(width)), strict=True):
            keypoints[row, joint], present[row, joint] = (x, y), True
            if score and score[0] is not None:
                scores[row, joint], scored[row, joint] = score[0] / 8, True
    return Poses(
        keypoints=keypoints,
        frame_offsets=np.cumsum([0] + [len(frame) for frame in frames]),
        skeleton=POSETRACK_15,
        joint_scores=scores,
        joint_visibility=2 * present,
        head_boxes=np.tile([0.0, 0.0, 6.0, 8.0], (len(people), 1)),
        track_ids=np.array([person[0] for person in people], np.int64),
        features={} if scored[present].all() else {"joint_scored": scored},
        sequence=name,
    )


def sides(case: str) -> tuple[dict[str, Poses], dict[str, Poses]]:
    sequences = CASES[case]["sequences"].items()
    truth = {name: poses(name, sequence["truth"], 3) for name, sequence in sequences}
    return truth, {name: poses(name, sequence["predictions"], 4) for name, sequence in sequences}


@pytest.fixture(params=CASES)
def scored(request: pytest.FixtureRequest) -> tuple[PoseTrackResult, dict[str, Any]]:
    return evaluate(*sides(request.param), motp="motmetrics"), CASES[request.param]["official"]


def test_equals_the_official_figures(scored: tuple[PoseTrackResult, dict[str, Any]]) -> None:
    result, official = scored
    for name, part in {"total": result, **result.sequences}.items():
        for figure in official[name].keys() - set(COUNTS):
            expected = np.array(official[name][figure], np.float64)
            # Coordinates are float32, which only the mean distance feels.
            tolerance = 1e-4 if figure == "motp" else 1e-9
            found = getattr(part, figure)
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance, err_msg=f"{name} {figure}")


def test_equals_the_official_counts(scored: tuple[PoseTrackResult, dict[str, Any]]) -> None:
    result, official = scored
    for count in COUNTS:
        assert getattr(result, count)[:-1].tolist() == official["total"][count], count


def test_a_pose_without_scores_ranks_after_one_of_low_scores() -> None:
    head = POSETRACK_15.index("head_top")
    truth = poses("a", [[[1, head, 0, 0]], [[1, head, 0, 0]]], 3)
    predictions = poses("a", [[[1, head, 40, 0, None]], [[1, head, 0, 0, 1]]], 4)
    assert evaluate(truth, predictions).ap[head] == 50  # 25 if the wrong one came first


def test_missing_scores_rank_last_in_any_skeleton() -> None:
    truth, predictions = sides("missing_scores")
    wider = {
        name: Poses(
            **vars(each.to_skeleton(POSETRACK_17))
            | {"features": {key: widened(column) for key, column in each.features.items()}}
        )
        for name, each in predictions.items()
    }
    assert any(each.features for each in wider.values())
    np.testing.assert_array_equal(evaluate(truth, wider).ap, evaluate(truth, predictions).ap)


def widened(scored: np.ndarray) -> np.ndarray:
    """(N, 17) of the joints in 2018's order, False for the ears."""
    index = POSETRACK_15.indices_of(POSETRACK_17)
    return np.where(index >= 0, scored[:, index], False)


def test_a_wrong_shape_of_joint_scored_is_named() -> None:
    truth, predictions = sides("missing_scores")
    one = next(iter(predictions))
    short = Poses(**vars(predictions[one]) | {"features": {"joint_scored": np.ones((len(predictions[one].scores), 3))}})
    with pytest.raises(ValueError, match=r'predictions.features\["joint_scored"\] must have shape .* K = 15'):
        evaluate({one: truth[one]}, {one: short})


def test_a_track_id_twice_in_a_frame_of_the_ground_truth_counts_as_officially_and_is_an_error_else() -> None:
    truth, predictions = sides("repeated_ids")
    with pytest.raises(ValueError, match="ground truth of sequence 'a', frame 1: expected each track id once"):
        evaluate(truth, predictions, official=False)
