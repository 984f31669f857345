"""Whatever makes figures undefined, or lets them mean less than they seem to, is said in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.evaluation import boxes, evaluate_tracks, learn_joint_thresholds
from ptfast.evaluation.posetrack import evaluate
from ptfast.io import write_poses
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.structures import Poses

WRIST = POSETRACK_15.index("right_wrist")
HANDS = Skeleton("hands", ("thumb", "palm"), (), (), (0.1, 0.1))
Make = Callable[..., Poses]


def untracked(poses: Poses) -> Poses:
    return poses.with_track_ids(np.full(len(poses.track_ids), -1))


def test_predictions_without_ids_have_no_figures_of_mot(make: Make) -> None:
    truth = make([[(1, 0)]] * 3)
    result = evaluate(truth, untracked(truth))
    assert result.notes[-1] == "predictions have no track ids: there are no figures of MOT"
    assert result.ap[WRIST] == 100
    for name in ("mota", "motp", "precision", "recall"):
        assert np.isnan(getattr(result, name)).all()
    figures = result.to_dict()
    assert (figures["mota"]["total"], figures["misses"]["right_wrist"]) == (None, None)
    assert figures["notes"] == list(result.notes)


def test_a_table_has_a_dash_for_a_figure_that_is_not_defined(make: Make) -> None:
    truth = make([[(1, 0)]] * 3)
    table = evaluate(truth, untracked(truth)).table()
    rows = [line.split() for line in table.splitlines() if line.startswith("total")]
    assert rows[1] == ["total", *"-" * 11]
    assert rows[2] == ["total", *"-" * 5]
    assert "nan" not in evaluate(truth, truth, official=False).table()


def test_poses_without_an_id_are_counted_by_sequence(make: Make) -> None:
    truth = {name: make([[(1, 0), (2, 50)]] * 2, sequence=name) for name in "ab"}
    found = truth | {"b": make([[(1, 0), (-1, 50)]] * 2), "a": untracked(truth["a"])}
    result = evaluate(truth, found)
    assert result.notes[-2:] == (
        "predictions of sequence 'a': 4 of 4 have no track id and take no part in MOT",
        "predictions of sequence 'b': 2 of 4 have no track id and take no part in MOT",
    )
    assert (result.tracked, result.sequences["a"].tracked, result.sequences["b"].tracked) == (True, False, True)
    assert evaluate_tracks(truth, found).notes[1].endswith("'b': 2 of 4 have no track id and take no part")
    assert boxes.evaluate(truth, found).notes[1].startswith("results of sequence 'b': 2 of 4")


@pytest.mark.parametrize("score", [evaluate_tracks, boxes.evaluate, learn_joint_thresholds])
def test_tracks_without_any_id_are_an_error(make: Make, score: Callable[..., object]) -> None:
    truth = make([[(1, 0)]] * 3)
    with pytest.raises(ValueError, match="must have track ids to be scored as tracks, got none among 3 poses"):
        score(truth, untracked(truth))


@pytest.mark.parametrize("score", [evaluate, evaluate_tracks])
def test_skeletons_without_a_common_joint_are_an_error(make: Make, score: Callable[..., object]) -> None:
    truth = make([[(1, 0)]] * 2)
    hands = Poses(keypoints=np.zeros((2, 2, 2)), frame_offsets=[0, 1, 2], skeleton=HANDS, track_ids=[1, 1])
    message = (
        "sequence 'a': ground truth and predictions must share a joint of posetrack_15, got the joints of posetrack_15"
    )
    with pytest.raises(ValueError, match=f"{message} and of hands"):
        score(truth, hands)


def test_annotated_joints_that_are_never_predicted_are_named(make: Make) -> None:
    truth = make([[(1, 0)]] * 3)
    assert evaluate(truth, truth.to_skeleton(COCO_17)).notes == (
        "annotated but never predicted, so that none is found: head_top",
    )
    assert evaluate(truth, truth).notes == ()


def test_ground_truth_with_nothing_annotated_is_said(make: Make) -> None:
    nobody, truth = make([[], []]), make([[(1, 0)]] * 2)
    assert evaluate(nobody, truth).notes[0].startswith("ground truth has no annotated joint in a frame that counts")
    assert evaluate_tracks(nobody, truth).notes[0].startswith("ground truth has nobody in a frame that counts")
    assert boxes.evaluate(nobody, truth).notes[0].startswith("ground truth has no box that counts")
    assert evaluate(truth, nobody).notes == ("predictions hold nobody in a frame that counts",)


def test_frames_that_predictions_lack_by_number_are_empty(make: Make) -> None:
    truth = make([[(1, 0)]] * 20, frame_ids=np.arange(1, 21))
    seen = np.r_[1:8, 13:21]
    result = evaluate(truth, make([[(1, 0)]] * 15, frame_ids=seen), official=False)
    assert (result.matches[WRIST], result.misses[WRIST], result.switches[WRIST]) == (15, 5, 0)
    assert result.notes == ("sequence 'a': predictions lack 5 of 20 frames, which count as empty",)
    assert evaluate_tracks(truth, make([[(1, 0)]] * 15, frame_ids=seen)).identity.tolist() == [15, 0, 5]


def counting_from(first: int, truth: int, side: str) -> str:
    return (
        f"sequence 'a': frames count from {truth} in the ground truth and from {first} in the {side}; "
        f"they are matched by number as they are"
    )


@pytest.mark.parametrize("first", [0, 1])
def test_boxes_whose_frames_count_from_another_number_are_said(make: Make, first: int) -> None:
    people = make([[(1, 0)]] * 4, boxes=np.tile([0, 0, 9, 9], (4, 1)))
    truth, found = (replace(people, frame_ids=np.arange(start, start + 4)) for start in (1 - first, first))
    result = boxes.evaluate(truth, found)
    assert (result.matches, result.misses, result.false_positives) == (3, 1, 1)
    assert result.notes == (counting_from(first, 1 - first, "results"),)
    assert boxes.evaluate(truth, truth).notes == boxes.evaluate(found, found).notes == ()


def test_boxes_of_a_mot_file_and_of_poses_counted_from_0_are_said(make: Make, tmp_path: Path) -> None:
    poses = make([[(1, 0)]] * 4)
    write_poses(poses, tmp_path / "a.txt")
    assert boxes.evaluate(replace(poses, frame_ids=np.arange(4)), tmp_path / "a.txt").notes == (
        counting_from(1, 0, "results"),
    )


@pytest.mark.parametrize("score", [evaluate, evaluate_tracks])
def test_poses_whose_frames_count_from_another_number_are_said(make: Make, score: Callable[..., Any]) -> None:
    truth = make([[(1, 0)]] * 4, frame_ids=np.arange(4))
    later = make([[(1, 0)]] * 3, frame_ids=np.arange(1, 4))
    assert score(truth, later).notes == (
        counting_from(1, 0, "predictions"),
        "sequence 'a': predictions lack 1 of 4 frames, which count as empty",
    )
    earlier = make([[], *[[(1, 0)]] * 3], frame_ids=np.arange(4))
    assert score(later, earlier).notes == (counting_from(0, 1, "predictions"),)


def test_frames_matched_by_name_or_position_may_count_from_anywhere(make: Make) -> None:
    people, names = [[(1, 0)]] * 3, ("5.jpg", "6.jpg", "7.jpg")
    truth, found = (make(people, frame_ids=np.arange(3) + k, frame_names=names) for k in (0, 1))
    assert evaluate(truth, found).notes == ()
    assert evaluate(make(people, frame_ids=np.arange(3)), make(people)).notes == ()
    assert boxes.evaluate(make(people), make(people, frame_ids=np.arange(1, 4))).notes == ()


def test_predictions_without_any_frame_are_all_misses(make: Make) -> None:
    truth = make([[(1, 0)]] * 3, frame_ids=np.arange(3))
    result = evaluate(truth, make([], frame_ids=np.zeros(0, np.int64)), official=False)
    assert result.misses[WRIST] == 3
    assert result.notes[1] == "sequence 'a': predictions lack 3 of 3 frames, which count as empty"


def test_frames_that_ground_truth_lacks_are_an_error(make: Make) -> None:
    truth = make([[(1, 0)]] * 2, frame_ids=np.array([1, 2]))
    with pytest.raises(ValueError, match="predictions hold frame '9', which the ground truth lacks"):
        evaluate(truth, make([[(1, 0)]] * 3, frame_ids=np.array([1, 2, 9])))


def test_frames_are_matched_by_number_and_not_by_position(make: Make) -> None:
    truth = make([[(1, 0)], [(1, 50)], [(1, 90)]], frame_ids=np.array([4, 5, 6]))
    shuffled = make([[(1, 90)], [(1, 0)]], frame_ids=np.array([6, 4]))
    assert evaluate(truth, shuffled, official=False).matches[WRIST] == 2
