"""Poses of one array a frame."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

COUNTS = (2, 0, 3)
JOINTS = [np.random.default_rng(n).uniform(0, 100, (n, 17, 2)).astype(np.float32) for n in COUNTS]
SCORES = [np.random.default_rng(n).uniform(0, 1, (n, 17)).astype(np.float32) for n in COUNTS]
SCORED = [np.concatenate([joints, scores[..., None]], -1) for joints, scores in zip(JOINTS, SCORES, strict=True)]


def test_joints_alone_take_the_defaults() -> None:
    made = Poses.from_frames(JOINTS, skeleton=COCO_17)
    wanted = Poses(np.concatenate(JOINTS), [0, 2, 2, 5], COCO_17)
    assert made.frame_offsets.tolist() == [0, 2, 2, 5]
    for name in ("keypoints", "joint_scores", "joint_visibility", "boxes", "scores", "track_ids"):
        np.testing.assert_array_equal(getattr(made, name), getattr(wanted, name))
    assert made.frame_names is made.frame_ids is made.frame_size is None and made.sequence == ""


def test_a_third_column_is_the_joints_scores() -> None:
    made = Poses.from_frames(SCORED, skeleton=COCO_17)
    np.testing.assert_array_equal(made.keypoints, np.concatenate(JOINTS))
    np.testing.assert_array_equal(made.joint_scores, np.concatenate(SCORES))


def test_all_that_is_known_of_poses_and_frames() -> None:
    boxes = [np.full((n, 4), n) for n in COUNTS]
    made = Poses.from_frames(
        iter(JOINTS),
        skeleton=COCO_17,
        scores=[[0.5, 0.25], [], (1, 2, 3)],
        boxes=boxes,
        track_ids=[np.array([3.0, 4.0]), np.zeros(0), np.array([4, 3, -1])],
        frame_names=["a", "b", "c"],
        frame_ids=[1, 2, 5],
        frame_size=(640, 360),
        sequence="street",
    )
    assert made.scores.tolist() == [0.5, 0.25, 1, 2, 3] and made.track_ids.tolist() == [3, 4, 4, 3, -1]
    np.testing.assert_array_equal(made.boxes, np.concatenate(boxes))
    assert made.frame_names == ("a", "b", "c") and made.frame_ids.tolist() == [1, 2, 5] and made.sequence == "street"
    assert made.frame_size.tolist() == [[640, 360]] * 3
    sizes = [[1, 2], [3, 4], [5, 6]]
    assert Poses.from_frames(JOINTS, skeleton=COCO_17, frame_size=sizes).frame_size.tolist() == sizes


@pytest.mark.parametrize("nobody", [[], np.zeros((0, 17, 2)), np.zeros((0, 17, 3)), np.zeros((0, 5))])
def test_frames_without_people_may_have_any_shape(nobody: object) -> None:
    made = Poses.from_frames([nobody, *SCORED, nobody], skeleton=COCO_17, boxes=[[], *map(boxes_of, COUNTS), []])
    assert made.frame_offsets.tolist() == [0, 0, 2, 2, 5, 5] and (made.boxes == 1).all()
    none = Poses.from_frames([nobody, nobody], skeleton=COCO_17, scores=[[], []], track_ids=[[], []], boxes=[[], []])
    assert len(none) == 2 and none.keypoints.shape == (0, 17, 2) and none.boxes.shape == (0, 4)


def boxes_of(count: int) -> np.ndarray:
    return np.ones((count, 4))


def test_no_frames_are_a_video_of_none() -> None:
    assert len(Poses.from_frames([], skeleton=COCO_17, frame_size=(4, 3))) == 0


def test_a_joint_that_is_not_finite_is_absent() -> None:
    frame = SCORED[0].copy()
    frame[0, 3, 0], frame[1, 5, 2] = np.nan, np.inf
    made = Poses.from_frames([frame], skeleton=COCO_17)
    assert np.argwhere(made.joint_visibility == 0).tolist() == [[0, 3], [1, 5]]
    assert made.joint_scores[0, 3] == made.joint_scores[1, 5] == 0
    rest = np.delete(frame[0, :, :2], 3, 0)
    np.testing.assert_array_equal(made.boxes[0], [*rest.min(0), *rest.max(0)])


def test_tensors_stay_tensors() -> None:
    torch = pytest.importorskip("torch")
    made = Poses.from_frames([[], *map(torch.from_numpy, SCORED)], skeleton=COCO_17, scores=[[], [1, 2], [], [1, 2, 3]])
    assert isinstance(made.keypoints, torch.Tensor) and isinstance(made.scores, torch.Tensor)
    np.testing.assert_array_equal(made.numpy().joint_scores, np.concatenate(SCORES))


@pytest.mark.parametrize(
    ("keypoints", "columns", "message"),
    [
        (
            [JOINTS[0], JOINTS[2][:, :15]],
            {},
            r"keypoints\[1\] must have shape \(n, K, 2\) with K = 17, got \(3, 15, 2\)",
        ),
        ([[], JOINTS[0], SCORED[2]], {}, r"keypoints\[2\] must have shape \(n, K, 2\) .* got \(3, 17, 3\)"),
        ([SCORED[0], JOINTS[2]], {}, r"keypoints\[1\] must have shape \(n, K, 3\) .* got \(3, 17, 2\)"),
        ([JOINTS[0][0]], {}, r"keypoints\[0\] must have shape \(n, K, 2\) .* got \(17, 2\)"),
        ([JOINTS[0], [[1], [1, 2]]], {}, r"keypoints\[1\] must be an array of numbers: "),
        (JOINTS, {"scores": [[1, 2], [], [1]]}, r"scores\[2\] must have shape \(n,\) with n = 3, got \(1,\)"),
        (JOINTS, {"scores": [[1, 2], [3], [1] * 3]}, r"scores\[1\] must have shape \(n,\) with n = 0, got \(1,\)"),
        (JOINTS, {"boxes": [boxes_of(2), []]}, "boxes must have one array for each of 3 frames, got 2"),
        (JOINTS, {"boxes": [[1] * 4, [], []]}, r"boxes\[0\] must have shape \(n, 4\) with n = 2, got \(4,\)"),
        (JOINTS, {"frame_names": ["a"]}, "frame_names must have one entry for each of 3 frames, got 1"),
    ],
)
def test_errors_name_the_frame(keypoints: list, columns: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Poses.from_frames(keypoints, skeleton=COCO_17, **columns)


@pytest.mark.parametrize("frame", [None, [["a", "b"]]])
def test_what_holds_no_numbers_is_named(frame: object) -> None:
    with pytest.raises(TypeError, match=r"keypoints\[1\] must hold numbers, got dtype (object|<U1)"):
        Poses.from_frames([JOINTS[0], frame], skeleton=COCO_17)
