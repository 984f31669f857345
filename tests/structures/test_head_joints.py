"""Head joints that a skeleton lacks: where they are, when they are absent, and whom they are made for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17, Skeleton
from ptfast.structures import Poses

NOSE, LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR, LEFT_SHOULDER, RIGHT_SHOULDER = range(7)
BOTTOM, TOP = POSETRACK_15.index("head_bottom"), POSETRACK_15.index("head_top")
# A head that leans to the right: the middle of the shoulders is (100, 200), that of the ears (110, 180).
PLACES = {
    LEFT_SHOULDER: (140, 210), RIGHT_SHOULDER: (60, 190), LEFT_EAR: (120, 176), RIGHT_EAR: (100, 184), NOSE: (118, 190),
    LEFT_EYE: (121, 182), RIGHT_EYE: (111, 188),
}  # fmt: skip
SCORES = {LEFT_SHOULDER: 0.9, RIGHT_SHOULDER: 0.7, LEFT_EAR: 0.4, RIGHT_EAR: 0.2, NOSE: 0.5, LEFT_EYE: 1, RIGHT_EYE: 0}


def person(absent: tuple[int, ...] = (), **columns: object) -> Poses:
    keypoints, scores, visibility = np.zeros((1, 17, 2)), np.ones((1, 17)), np.full((1, 17), 2)
    for joint, place in PLACES.items():
        keypoints[0, joint], scores[0, joint] = place, SCORES[joint]
    visibility[0, list(absent)] = 0
    keypoints[0, list(absent)] = (-999, 999)  # coordinates of absent joints never count
    given = {"joint_scores": scores, "joint_visibility": visibility} | columns
    return Poses(keypoints, [0, 1], COCO_17, **given)


def head(poses: Poses, skeleton: Skeleton = POSETRACK_15) -> tuple[list, list, list]:
    """Places, scores and visibility of head_bottom and head_top."""
    index = [skeleton.index("head_bottom"), skeleton.index("head_top")]
    mapped = poses.to_skeleton(skeleton)
    columns = (mapped.keypoints, mapped.joint_scores, mapped.joint_visibility)
    return tuple(column[0, index].round(4).tolist() for column in columns)  # type: ignore[return-value]


@pytest.mark.parametrize("skeleton", [POSETRACK_15, POSETRACK_17])
def test_they_lie_on_the_line_from_the_shoulders_to_the_ears(skeleton: Skeleton) -> None:
    places, scores, visibility = head(person(), skeleton)
    assert places == [[103, 194], [117, 166]]  # (100, 200) and 0.3 and 1.7 times (10, -20)
    assert scores == pytest.approx([0.55, 0.55])  # (0.9 + 0.7 + 0.4 + 0.2) / 4
    assert visibility == [2, 2]


@pytest.mark.parametrize(
    ("absent", "end", "score"),
    [
        ((RIGHT_EAR,), ((120 + 121 + 111) / 3, (176 + 182 + 188) / 3), (0.9 + 0.7 + 0.4 + 1 + 0) / 5),
        ((RIGHT_EAR, LEFT_EYE, NOSE), ((120 + 111) / 2, (176 + 188) / 2), (0.9 + 0.7 + 0.4 + 0) / 4),
        ((LEFT_EAR, RIGHT_EAR), ((121 + 111) / 2, (182 + 188) / 2), (0.9 + 0.7 + 1 + 0) / 4),
    ],
    ids=["an ear less", "an ear and an eye", "eyes"],
)
def test_without_an_ear_the_other_and_the_eyes_tell(
    absent: tuple[int, ...], end: tuple[float, float], score: float
) -> None:
    places, scores, visibility = head(person(absent))
    line = np.array(end) - [100, 200]
    np.testing.assert_allclose(places, [100, 200] + np.array([[0.3], [1.5]]) * line, atol=1e-4)
    assert scores == pytest.approx([score] * 2, abs=1e-4) and visibility == [2, 2]


def test_a_nose_alone_is_enough() -> None:
    places, scores, _ = head(person(absent=(LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR)))
    np.testing.assert_allclose(places, [[105.4, 197], [127, 185]], atol=1e-4)
    assert scores == pytest.approx([0.7, 0.7])


def test_ears_are_enough_for_somebody_seen_from_behind() -> None:
    assert head(person(absent=(NOSE, LEFT_EYE, RIGHT_EYE))) == head(person())


@pytest.mark.parametrize("absent", [(LEFT_SHOULDER,), (RIGHT_SHOULDER,), (0, 1, 2, 3, 4), tuple(range(17))])
def test_without_both_shoulders_and_a_face_they_stay_absent(absent: tuple[int, ...]) -> None:
    assert head(person(absent)) == ([[0, 0], [0, 0]], [0, 0], [0, 0])


def test_a_hidden_joint_makes_a_hidden_one() -> None:
    visibility = np.full((1, 17), 2)
    visibility[0, LEFT_EAR] = 1
    assert head(person(joint_visibility=visibility))[2] == [1, 1]
    visibility[0, [NOSE, LEFT_EAR]] = 1, 2  # the nose is not used
    assert head(person(joint_visibility=visibility))[2] == [2, 2]


def test_nobody_has_a_score_for_what_comes_of_joints_without_one() -> None:
    for joint, expected in ((LEFT_EAR, False), (RIGHT_SHOULDER, False), (NOSE, True), (10, True)):
        scored = np.ones((1, 17), bool)
        scored[0, joint] = False
        mapped = person(features={"joint_scored": scored, "row": np.arange(1)}).to_skeleton(POSETRACK_15)
        assert mapped.features["joint_scored"][0, [BOTTOM, TOP]].tolist() == [expected] * 2, joint
        assert mapped.features["row"].tolist() == [0]
    mapped = person((LEFT_SHOULDER,), features={"joint_scored": np.zeros((1, 17), bool)}).to_skeleton(POSETRACK_15)
    assert mapped.features["joint_scored"][0, [BOTTOM, TOP]].all()  # an absent joint lacks no score


def test_the_other_joints_and_columns_are_as_without_them() -> None:
    poses = person(head_boxes=np.ones((1, 4)), areas=[5], track_ids=[3])
    mapped, plain = poses.to_skeleton(POSETRACK_15), poses.to_skeleton(POSETRACK_15, extrapolate_head=False)
    assert (plain.joint_visibility[0, [BOTTOM, TOP]] == 0).all()
    rest = np.delete(np.arange(15), [BOTTOM, TOP])
    for name in ("keypoints", "joint_scores", "joint_visibility"):
        np.testing.assert_array_equal(getattr(mapped, name)[:, rest], getattr(plain, name)[:, rest])
    for name in ("boxes", "scores", "track_ids", "head_boxes", "areas"):
        np.testing.assert_array_equal(getattr(mapped, name), getattr(poses, name))
    back = mapped.to_skeleton(COCO_17)
    np.testing.assert_array_equal(back.keypoints[0, 5:], poses.keypoints[0, 5:])
    assert (back.joint_visibility[0, 1:5] == 0).all()


def test_skeletons_that_have_head_joints_keep_theirs() -> None:
    visibility = np.full((1, 17), 2)
    visibility[0, [1, 2]] = 0
    poses = replace(person(), skeleton=POSETRACK_17, joint_visibility=visibility)
    assert head(poses)[2] == [0, 0]


def test_a_skeleton_with_a_neck_gets_a_head_top_alone() -> None:
    joints = (*COCO_17.joints, "neck")
    keypoints = np.concatenate([person().keypoints, [[[7, 8]]]], 1)
    places, _, visibility = head(Poses(keypoints, [0, 1], Skeleton("body_18", joints)))
    assert places == [[7, 8], [117, 166]] and visibility == [2, 2]


@pytest.mark.parametrize("joints", [COCO_17.joints[:5], COCO_17.joints[5:], COCO_17.joints[:6]])
def test_skeletons_without_shoulders_or_a_face_get_none(joints: tuple[str, ...]) -> None:
    poses = Poses(np.ones((1, len(joints), 2)), [0, 1], Skeleton("part", joints))
    assert head(poses)[2] == [0, 0]


def test_tensors_give_the_same_and_no_people_give_none() -> None:
    torch = pytest.importorskip("torch")
    poses = Poses.concatenate([person(), person((RIGHT_EAR,)), person((LEFT_SHOULDER,))])
    mapped, tensors = poses.to_skeleton(POSETRACK_15), poses.to("cpu").to_skeleton(POSETRACK_15)
    assert isinstance(tensors.keypoints, torch.Tensor)
    for name in ("keypoints", "joint_scores", "joint_visibility"):
        np.testing.assert_allclose(getattr(tensors, name), getattr(mapped, name), rtol=1e-6, err_msg=name)
    nobody = person()[:0].to_skeleton(POSETRACK_15)
    assert nobody.keypoints.shape == (0, 15, 2)
