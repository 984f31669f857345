"""Sequences and frames are paired by name, and whatever stands alone is an error that says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ptfast.evaluation import learn_joint_thresholds
from ptfast.evaluation.posetrack import evaluate
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses

Make = Callable[..., Poses]
PERSON = [(1, 0.0)]


def test_frames_are_matched_by_name(make: Make) -> None:
    truth = make([[(1, 0)], [(1, 9)], [(1, 50)]], frame_names=("v/0.jpg", "v/1.jpg", "v/2.jpg"))
    shuffled = make([[(1, 50)], [(1, 0)], [(1, 9)]], frame_names=("w/2.jpg", "w/0.jpg", "w/1.jpg"))
    assert evaluate(truth, shuffled).matches[-1] == 4


def test_frames_are_matched_by_index_where_one_side_has_no_names(make: Make) -> None:
    truth = make([PERSON] * 3, frame_names=("0.jpg", "1.jpg", "2.jpg"))
    assert evaluate(truth, make([PERSON] * 3)).matches[-1] == 4


def test_a_single_sequence_needs_no_name(make: Make) -> None:
    assert evaluate({"x": make([PERSON] * 2)}, make([PERSON] * 2, sequence="y")).matches[-1] == 2


@pytest.mark.parametrize(
    ("truth", "predictions", "message"),
    [
        (
            ("a", "b"),
            ("a", "c"),
            "the data: predictions lack sequence 'b' of the ground truth; expected 2 sequences, found 2",
        ),
        (("a", "b"), ("a",), "predictions lack sequence 'b' of the ground truth; expected 2 sequences, found 1"),
        (
            ("a",),
            ("a", "b"),
            "predictions hold sequence 'b', which the ground truth lacks; expected 1 sequences, found 2",
        ),
    ],
)
def test_sequences_that_stand_alone(make: Make, truth: tuple, predictions: tuple, message: str) -> None:
    sides = [{name: make([PERSON] * 2) for name in names} for names in (truth, predictions)]
    with pytest.raises(ValueError, match=message):
        evaluate(*sides)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ("0.jpg", "2.jpg"),
            "sequence 'a': predictions lack frame '1.jpg' of the ground truth; expected 2 frames, found 2",
        ),
        (
            ("0.jpg", "1.jpg", "2.jpg"),
            "predictions hold frame '2.jpg', which the ground truth lacks; expected 2 frames, found 3",
        ),
        (None, "sequence 'a': predictions must have the ground truth's frames, expected 2, found 3"),
    ],
)
def test_frames_that_stand_alone(make: Make, names: tuple[str, ...] | None, message: str) -> None:
    truth = make([PERSON] * 2, frame_names=("0.jpg", "1.jpg"))
    with pytest.raises(ValueError, match=message):
        evaluate(truth, make([PERSON] * (3 if names is None else len(names)), frame_names=names))


def test_frames_that_the_ground_truth_lacks_may_hold_nobody(make: Make) -> None:
    truth = make([PERSON, PERSON, [(1, 70.0)], PERSON], frame_ids=np.array([1, 2, 5, 6]))
    numbers = np.arange(1, 6)
    found = [PERSON, PERSON, [], [], [(1, 70.0)]]
    assert evaluate(truth, make(found, frame_ids=numbers)).matches[-1] == 6
    with pytest.raises(ValueError, match="predictions hold frame '3', which the ground truth lacks"):
        evaluate(truth, make([PERSON, PERSON, PERSON, [], PERSON], frame_ids=numbers))


def test_a_track_id_twice_in_a_frame(make: Make) -> None:
    predictions = make([PERSON, [(4, 0), (4, 9)]], frame_names=("0.jpg", "1.jpg"))
    message = r"predictions of sequence 'a', frame 1 \(1.jpg\): expected each track id once, found 4 twice"
    with pytest.raises(ValueError, match=message):
        evaluate(make([PERSON] * 2), predictions)


def test_ground_truth_without_a_track_id(make: Make) -> None:
    message = "ground truth of sequence 'a', frame 1: expected a track id for each pose, found a pose without"
    with pytest.raises(ValueError, match=message):
        evaluate(make([PERSON, [(-1, 0)]]), make([PERSON] * 2))


@pytest.mark.parametrize("score", [evaluate, learn_joint_thresholds])
def test_a_joint_score_that_is_no_number(make: Make, score: Callable[[Poses, Poses], object]) -> None:
    truth, predictions = make([PERSON] * 2), make([PERSON] * 2)
    scores = predictions.joint_scores.copy()
    scores[1, POSETRACK_15.index("right_wrist")] = np.nan
    message = "predictions of sequence 'a', frame 1: expected numbers as scores of joints, found nan for right_wrist"
    with pytest.raises(ValueError, match=message):
        score(truth, replace(predictions, joint_scores=scores))
    absent = predictions.joint_visibility * ~np.isnan(scores)
    assert score(truth, replace(predictions, joint_scores=scores, joint_visibility=absent)) is not None
