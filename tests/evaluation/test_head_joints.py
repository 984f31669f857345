"""Poses without head joints against people who have them."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.evaluation import evaluate_tracks
from ptfast.evaluation.posetrack import evaluate
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses

BOTTOM, TOP, NOSE = (POSETRACK_15.index(joint) for joint in ("head_bottom", "head_top", "nose"))
FACE = ((100, 60), (104, 55), (96, 55), (110, 57), (90, 57))  # nose, eyes and ears; the ears' middle is (100, 57)


def coco(frames: int = 3, ears: bool = True) -> Poses:
    """One person, whose shoulders are 33 pixels under the ears: head_bottom is at 80.1 and head_top at 33.9."""
    places = [*FACE, (130, 90), (70, 90), *[(100 + 5 * joint, 150 + 10 * joint) for joint in range(10)]]
    visibility = np.full((frames, 17), 2)
    visibility[:, [3, 4]] = 2 * ears
    keypoints = np.tile(np.array(places, np.float64), (frames, 1, 1))
    return Poses(keypoints, range(frames + 1), COCO_17, joint_visibility=visibility, track_ids=np.zeros(frames))


def truth(top: tuple[float, float] = (100, 33.9)) -> Poses:
    """The same person as somebody annotated them. A joint is right within 0.5 x 0.6 x 50 = 15 pixels."""
    poses = coco().to_skeleton(POSETRACK_15)
    keypoints = poses.keypoints.copy()
    keypoints[:, TOP] = top
    return Poses(**vars(poses) | {"keypoints": keypoints, "head_boxes": np.tile([0.0, 0, 30, 40], (3, 1))})


def test_predictions_get_head_joints() -> None:
    result = evaluate(truth(), coco())
    assert result.ap.tolist() == [100] * 16 and result.mota.tolist() == [100] * 16
    assert result.notes == ("head joints of 3 of 3 predictions are extrapolated from shoulders and face",)
    assert evaluate_tracks(truth(), coco()).idf1 == pytest.approx(100)


def test_a_head_top_out_of_reach_is_wrong() -> None:
    far = evaluate(truth(top=(100, 33.9 - 15.1)), coco())
    assert far.ap[TOP] == 0 and far.ap[BOTTOM] == 100 and far.ap[-1] == pytest.approx(100 * 14 / 15)
    assert far.mota[TOP] == -100  # missed each time, and something else found
    assert evaluate(truth(top=(100, 33.9 - 14.9)), coco()).ap[TOP] == 100


def test_absent_ones_are_missed() -> None:
    poses = coco()
    visibility = poses.joint_visibility.copy()
    visibility[:, 5] = 0
    result = evaluate(truth(), Poses(**vars(poses) | {"joint_visibility": visibility}))
    assert result.ap[[BOTTOM, TOP]].tolist() == [0, 0] and result.mota[[BOTTOM, TOP]].tolist() == [0, 0]
    assert result.notes[0].startswith("annotated but never predicted, so that none is found: left_shoulder, neck")


def test_ground_truth_gets_none() -> None:
    """People annotated in COCO's joints have no head joints to find, and the predictions none that would be false."""
    result = evaluate(coco(), coco(), official=False)
    assert np.isnan(result.ap[[BOTTOM, TOP]]).all() and result.ap[-1] == 100 and result.mota[-1] == 100
    assert result.false_positives.sum() == 0 and result.notes == ()


def test_a_score_that_is_not_there_ranks_last() -> None:
    scored = np.ones((3, 17), bool)
    scored[0, 3] = False
    keypoints = coco().keypoints.copy()
    keypoints[0, [3, 4]] += 500  # the wrong pose is the one without a score
    scores = np.repeat([[0.9], [0.5], [0.5]], 17, 1)
    columns = vars(coco()) | {"keypoints": keypoints, "joint_scores": scores, "features": {"joint_scored": scored}}
    given = evaluate(truth(), Poses(**columns))
    plain = evaluate(truth(), Poses(**columns | {"features": {}}))
    assert given.ap[TOP] == pytest.approx(100 * 2 / 3)
    assert plain.ap[TOP] == pytest.approx(100 * 2 / 3 * 2 / 3)  # precision is 2/3 at both right ones
