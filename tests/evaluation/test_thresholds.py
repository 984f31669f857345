"""Thresholds learnt for each joint: the best of the candidates, applied as the evaluator applies them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ptfast.evaluation import learn_joint_thresholds
from ptfast.evaluation.posetrack import evaluate
from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses
from ptfast.synthetic import crowd, detections
from ptfast.tracking import drop_low_joints, link

WRIST, HEAD = POSETRACK_15.index("right_wrist"), POSETRACK_15.index("head_top")


@pytest.fixture(scope="module")
def scenes() -> tuple[dict[str, Poses], dict[str, Poses]]:
    """Two videos and what a mediocre detector and a linker make of them, every second joint worse than the others."""
    truth = {name: replace(crowd(seed, frames=40, people=4), sequence=name) for seed, name in enumerate("ab")}
    found = {}
    for seed, (name, poses) in enumerate(truth.items()):
        good, bad = (detections(poses, seed, jitter=jitter) for jitter in (0.2, 0.5))
        odd = np.arange(15) % 2 == 1
        mixed = replace(
            good,
            keypoints=np.where(odd[:, None], bad.keypoints, good.keypoints),
            joint_scores=np.where(odd, bad.joint_scores, good.joint_scores),
        )
        found[name] = link(mixed, min_score=None, min_joint_score=None)
    return truth, found


def test_each_joint_takes_its_best_candidate(scenes: tuple[dict, dict]) -> None:
    truth, found = scenes
    learnt = learn_joint_thresholds(truth, found, candidates=6)
    assert learnt.shape == (15,)
    best = evaluate(truth, found, official=False, mota_min_joint_score=learnt).mota
    scores = np.concatenate([poses.joint_scores for poses in found.values()]).astype(np.float64)
    present = np.concatenate([poses.joint_visibility for poses in found.values()]) > 0
    every = []
    for joint in range(15):
        every.append(np.sort(scores[present[:, joint], joint]))
    for share in np.arange(6) / 6:
        candidate = np.array([column[int(share * (len(column) - 1))] for column in every])
        assert (evaluate(truth, found, official=False, mota_min_joint_score=candidate).mota <= best).all()


def test_learnt_thresholds_beat_no_threshold_and_differ_between_joints(scenes: tuple[dict, dict]) -> None:
    truth, found = scenes
    learnt = learn_joint_thresholds(truth, found)
    assert evaluate(truth, found, mota_min_joint_score=learnt).mota[-1] > evaluate(truth, found).mota[-1] + 1
    assert len(np.unique(learnt)) > 5


def test_the_filter_drops_what_the_evaluator_leaves_out(scenes: tuple[dict, dict]) -> None:
    truth, found = scenes
    learnt = learn_joint_thresholds(truth, found, candidates=6)
    dropped = {name: drop_low_joints(poses, learnt) for name, poses in found.items()}
    for name in ("matches", "misses", "switches", "false_positives"):
        filtered = getattr(evaluate(truth, found, mota_min_joint_score=learnt), name)
        np.testing.assert_array_equal(getattr(evaluate(truth, dropped), name), filtered)


def test_other_joint_sets_get_thresholds_by_name(scenes: tuple[dict, dict]) -> None:
    truth, found = scenes
    learnt = learn_joint_thresholds(truth, found, candidates=6)
    wider = {name: poses.to_skeleton(POSETRACK_17) for name, poses in found.items()}
    index = POSETRACK_15.indices_of(POSETRACK_17)
    expected = np.where(index >= 0, learnt[index], 0)
    np.testing.assert_array_equal(learn_joint_thresholds(truth, wider, candidates=6), expected)


def test_joints_that_teach_nothing_have_no_threshold(make: Callable[..., Poses]) -> None:
    """Wrist and head top are annotated: the wrist is right where its score is high, the head is never predicted."""
    truth = make([[(0, 10)]] * 8)
    scores = np.zeros((8, 15))
    scores[:, WRIST] = np.arange(8) / 8 + 0.1
    keypoints = truth.keypoints + np.where(np.arange(8)[:, None, None] < 4, 50, 0)
    visibility = truth.joint_visibility.copy()
    visibility[:, HEAD], visibility[:, 0] = 0, 2
    found = replace(truth, keypoints=keypoints, joint_scores=scores, joint_visibility=visibility)
    learnt = learn_joint_thresholds(truth, found, candidates=8)
    assert learnt[WRIST] == np.float32(4 / 8 + 0.1)
    assert (np.delete(learnt, WRIST) == 0).all()


def test_what_does_not_fit_is_an_error(scenes: tuple[dict, dict]) -> None:
    truth, found = scenes
    with pytest.raises(ValueError, match="candidates must be between 1 and"):
        learn_joint_thresholds(truth, found, candidates=0)
    mixed = found | {"b": found["b"].to_skeleton(COCO_17)}
    with pytest.raises(ValueError, match=r"predictions must share one skeleton, got \['coco_17', 'posetrack_15'\]"):
        learn_joint_thresholds(truth, mixed)
