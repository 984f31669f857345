"""Each rule and quirk of the PoseTrack evaluation on sequences small enough to count by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ptfast.evaluation.posetrack import PoseTrackResult, evaluate
from ptfast.skeletons import POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import crowd

WRIST, NOSE, HEAD = (POSETRACK_15.index(joint) for joint in ("right_wrist", "nose", "head_top"))
Make = Callable[..., Poses]


def counts(result: PoseTrackResult, joint: int = WRIST) -> tuple[int, ...]:
    """Objects, matches, switches, misses and false positives."""
    columns = (result.objects, result.matches, result.switches, result.misses, result.false_positives)
    return tuple(int(column[joint]) for column in columns)


def test_a_joint_is_right_within_half_a_head_size(make: Make) -> None:
    truth = make([[(1, 0), (2, 50)]] * 2)
    result = evaluate(truth, make([[(1, 3), (2, 53.125)]] * 2))
    assert counts(result) == (2, 1, 0, 1, 1)
    assert result.motp[WRIST] == pytest.approx(50)
    assert result.ap_recall[WRIST] == pytest.approx(50)


def test_the_last_frame_is_left_out_of_mot_alone(make: Make) -> None:
    truth, predictions = make([[(1, 0)]] * 3), make([[(1, 0)], [(1, 0)], [(1, 40)]])
    official, clean = evaluate(truth, predictions), evaluate(truth, predictions, official=False)
    assert counts(official) == (2, 2, 0, 0, 0)
    assert counts(clean) == (3, 2, 0, 1, 1)
    assert official.ap_recall[WRIST] == clean.ap_recall[WRIST] == pytest.approx(200 / 3)


def test_a_frame_without_predictions_is_one_miss_and_one_false_positive_of_every_joint(make: Make) -> None:
    truth, predictions = make([[(1, 0), (2, 50)]] * 3), make([[(1, 0), (2, 50)], [], []])
    official, clean = evaluate(truth, predictions), evaluate(truth, predictions, official=False)
    assert counts(official) == (3, 2, 0, 1, 1)
    assert counts(official, NOSE) == (1, 0, 0, 1, 1)
    assert official.mota[NOSE] == -100
    assert counts(clean) == (6, 2, 0, 4, 0)
    assert np.isnan(clean.mota[NOSE])


def test_frames_without_annotated_people_are_left_out(make: Make) -> None:
    truth, predictions = make([[(1, 0)], [], [(1, 0)]]), make([[(1, 0)], [(1, 0), (2, 9)], [(1, 0)]])
    official = evaluate(truth, predictions)
    assert counts(official) == (1, 1, 0, 0, 0)
    assert official.ap_precision[WRIST] == 100
    assert counts(evaluate(truth, predictions, official=False)) == (2, 2, 0, 0, 2)
    labelled = replace(truth, is_labeled=np.array([True, False, True]))
    assert counts(evaluate(labelled, predictions, official=False)) == (2, 2, 0, 0, 0)


@pytest.mark.parametrize(("skeleton", "dummies"), [(POSETRACK_15, 1), (POSETRACK_17, 0)])
def test_a_person_without_joints_is_nobody_in_15_joint_data(make: Make, skeleton: Any, dummies: int) -> None:
    truth = make([[(1, 0)], [(1, 0)], [(1, 0)]])
    visibility = truth.joint_visibility.copy()
    visibility[1] = 0
    truth = replace(truth, joint_visibility=visibility).to_skeleton(skeleton)
    assert counts(evaluate(truth, make([[(1, 0)]] * 3))) == (1 + dummies, 1, 0, dummies, 1)


def test_a_joint_never_predicted_counts_as_0_and_is_in_the_mean(make: Make) -> None:
    truth = make([[(1, 0)]] * 2)
    official, clean = evaluate(truth, truth), evaluate(truth, truth, official=False)
    assert (official.ap[NOSE], official.motp[NOSE]) == (0, 0)
    assert official.ap[-1] == pytest.approx(100 * 2 / 15)
    assert np.isnan(clean.ap[NOSE])
    assert (clean.ap[-1], clean.mota[-1], clean.motp[-1]) == (100, 100, 100)


def test_a_joint_predicted_but_never_annotated(make: Make) -> None:
    truth = make([[(1, 0)]] * 2)
    visibility = truth.joint_visibility.copy()
    visibility[:, NOSE] = 1
    result = evaluate(truth, replace(truth, joint_visibility=visibility))
    assert np.isnan(result.ap[NOSE])
    assert np.isnan(result.ap_recall[NOSE])
    assert result.ap_precision[NOSE] == 0
    assert result.ap[-1] == pytest.approx(100 * 2 / 14)


def test_ap_pairs_by_the_share_of_joints_and_ranks_by_joint_score(make: Make) -> None:
    truth = make([[(1, 0)]])
    predictions = make([[(1, 40), (2, 0)]], joint_scores=np.repeat([[0.9], [0.5]], 15, axis=1))
    result = evaluate(truth, predictions)
    assert (result.ap[WRIST], result.ap_precision[WRIST], result.ap_recall[WRIST]) == (50, 50, 100)


def test_one_pose_a_person_and_one_person_a_pose(make: Make) -> None:
    truth = make([[(1, 0), (2, 2)]])
    result = evaluate(truth, make([[(1, 1), (2, 1)]]))
    # Both poses are nearest to the first person by order, so that the second finds nobody.
    assert (result.ap_recall[WRIST], result.ap_precision[WRIST]) == (50, 50)


def test_ignore_regions_remove_joints_on_both_sides(make: Make) -> None:
    square = np.array([[-9.0, 90.0], [60.0, 90.0], [60.0, 110.0], [-9.0, 110.0]])
    truth = make([[(1, 0)]] * 2, ignore_regions=((square,), (square,)))
    predictions = make([[(1, 0), (2, 30)]] * 2)
    result = evaluate(truth, predictions)
    assert counts(result) == (0, 0, 0, 0, 0)
    assert counts(result, HEAD) == (1, 1, 0, 0, 1)


def test_switches_are_counted_by_joint(make: Make) -> None:
    result = evaluate(make([[(1, 0)]] * 4), make([[(1, 0)], [(2, 0)], [(2, 0)], [(2, 0)]]))
    assert counts(result) == (3, 2, 1, 0, 0)
    assert result.mota[WRIST] == pytest.approx(100 * 2 / 3)


def test_motp_of_motmetrics_counts_admissible_pairs_again(make: Make) -> None:
    truth, predictions = make([[(1, 0)]] * 2), make([[(1, 1.5)]] * 2)
    assert evaluate(truth, predictions).motp[WRIST] == pytest.approx(75)
    assert evaluate(truth, predictions, motp="motmetrics").motp[WRIST] == pytest.approx(50)


def test_poses_without_a_track_count_in_ap_alone(make: Make) -> None:
    result = evaluate(make([[(1, 0)]] * 2), make([[(1, 0), (-1, 50)], [(1, 0)]]))
    assert counts(result) == (1, 1, 0, 0, 0)
    assert result.ap_precision[WRIST] == pytest.approx(100 * 2 / 3)


def test_minimum_scores_filter_for_mot_alone(make: Make) -> None:
    truth = make([[(1, 0)]] * 3)
    joint_scores = np.repeat([[0.9], [0.2]] * 3, 15, axis=1)
    joint_scores[0, WRIST] = 0.1
    frames = [[(1, 0), (2, 50)]] * 3
    predictions = make(frames, scores=np.array([0.9, 0.2] * 3), joint_scores=joint_scores)
    plain = evaluate(truth, predictions)
    by_pose, by_joint = (
        evaluate(truth, predictions, mota_min_score=0.5),
        evaluate(truth, predictions, mota_min_joint_score=0.5),
    )
    assert counts(plain) == (2, 2, 0, 0, 2)
    assert counts(by_pose) == (2, 2, 0, 0, 0)
    assert counts(by_joint) == (2, 1, 0, 1, 0)
    each = np.full(15, 0.5)
    each[WRIST] = 0.05
    assert counts(evaluate(truth, predictions, mota_min_joint_score=each.tolist())) == (2, 2, 0, 0, 2)
    np.testing.assert_array_equal(by_pose.ap, plain.ap)
    np.testing.assert_array_equal(by_joint.ap, plain.ap)


def test_filters_score_as_filtered_poses_would(make: Make) -> None:
    rng = np.random.default_rng(0)
    frames = [[(name, 20.0 * name) for name in range(4)] for _ in range(9)]
    predictions = make(frames, scores=rng.random(36), joint_scores=rng.random((36, 15)))
    kept = replace(predictions, joint_visibility=predictions.joint_visibility * (predictions.joint_scores >= 0.4))
    kept = kept.select((kept.scores >= 0.3) & (kept.joint_visibility > 0).any(1))
    filtered = evaluate(make(frames), predictions, mota_min_score=0.3, mota_min_joint_score=0.4)
    alone = evaluate(make(frames), kept)
    assert [counts(filtered, j) for j in range(15)] == [counts(alone, j) for j in range(15)]


def test_17_joints_score_as_15(make: Make) -> None:
    truth, predictions = make([[(1, 0), (2, 50)]] * 3), make([[(1, 2), (2, 57)]] * 3)
    small, large = evaluate(truth, predictions), evaluate(*(p.to_skeleton(POSETRACK_17) for p in (truth, predictions)))
    for name in ("ap", "mota", "motp", "objects"):
        np.testing.assert_array_equal(getattr(small, name), getattr(large, name))


def test_sequences_are_summed_and_their_ids_kept_apart(make: Make) -> None:
    a, b = make([[(1, 0)]] * 3), make([[(1, 50)]] * 3)
    swapped = make([[(2, 50)]] * 3)
    result = evaluate({"a": a, "b": b}, {"b": swapped, "a": a})
    assert counts(result) == (4, 4, 0, 0, 0)
    assert [counts(part) for part in result.sequences.values()] == [(2, 2, 0, 0, 0)] * 2


def test_one_frame_has_no_mot_but_an_ap(make: Make) -> None:
    result = evaluate(make([[(1, 0)]]), make([[(1, 0)]]))
    assert counts(result) == (0, 0, 0, 0, 0)
    assert np.isnan(result.mota[-1])
    assert result.ap[WRIST] == 100


def test_nothing_at_all_is_no_error(make: Make) -> None:
    result = evaluate(make([[], []]), make([[], []]))
    assert counts(result) == (0, 0, 0, 0, 0)
    assert np.isnan(evaluate(make([[], []]), make([[], []]), official=False).ap[-1])


def test_tables_and_json_hold_the_totals(make: Make) -> None:
    result = evaluate(make([[(1, 0)]] * 3), make([[(1, 0)]] * 3))
    lines = result.table(sequences=True).splitlines()
    assert lines[1].split() == ["Head", "Shou", "Elb", "Wri", "Hip", "Knee", "Ankl", "Total", "Prec", "Rec"]
    assert lines[3].split() == ["total", "33.3", "0.0", "0.0", "50.0", "0.0", "0.0", "0.0", "13.3", "13.3", "13.3"]
    figures = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert figures["mota"]["right_wrist"] == figures["sequences"]["a"]["mota"]["total"] == 100
    assert figures["mota"]["neck"] is None
    assert figures["objects"]["total"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"motp": "mean"}, "motp must be 'matches' or 'motmetrics', got 'mean'"),
        ({"mota_min_joint_score": [0.5] * 17}, r"mota_min_joint_score must have shape \(15,\), got \(17,\)"),
    ],
)
def test_errors_name_the_argument(make: Make, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(make([[(1, 0)]]), make([[(1, 0)]]), **arguments)


def test_pairs_are_compared_some_frames_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many; in a crowd whose people stand near enough to be compared, and are far off otherwise."""
    truth = crowd(0, frames=12, people=7, size=(400, 200))
    noise = np.random.default_rng(0).normal(0, 4, truth.keypoints.shape)
    tracks = replace(truth, keypoints=truth.keypoints + noise.astype(np.float32))
    whole = evaluate(truth, tracks)
    monkeypatch.setattr("ptfast.evaluation._posetrack_reach.PAIRS", 60)
    pieces = evaluate(truth, tracks)
    everywhere = lambda side, margin: np.tile([0, 0, 1, 1], (len(side.ids), 1))  # noqa: E731
    monkeypatch.setattr("ptfast.evaluation._posetrack_reach._reach", everywhere)
    unfiltered = evaluate(truth, tracks)
    assert 0 < whole.mota[-1] < 100
    for other in (pieces, unfiltered):
        for name in ("ap", "mota", "motp", "precision", "recall", "switches"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(other, name))
