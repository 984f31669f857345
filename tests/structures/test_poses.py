"""Poses: defaults, slices, selection, skeletons, errors."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.skeletons import COCO_17, POSETRACK_15, POSETRACK_17
from ptfast.structures import Poses, head_sizes, joint_boxes, pose_areas


def poses(counts: tuple[int, ...] = (2, 0, 3, 1), **columns: object) -> Poses:
    n = sum(counts)
    return Poses(
        keypoints=np.random.default_rng(0).uniform(0, 100, (n, 15, 2)),
        frame_offsets=np.cumsum([0, *counts]),
        skeleton=POSETRACK_15,
        track_ids=np.arange(n),
        frame_names=tuple(f"{f:06d}.jpg" for f in range(len(counts))),
        frame_size=np.tile([640, 360], (len(counts), 1)),
        **columns,
    )


def test_columns_have_the_documented_dtypes_and_defaults() -> None:
    plain = Poses(np.ones((3, 15, 2)), [0, 1, 3], POSETRACK_15)
    assert plain.keypoints.dtype == plain.boxes.dtype == plain.scores.dtype == np.float32
    assert plain.joint_visibility.dtype == np.uint8 and (plain.joint_visibility == 2).all()
    assert plain.track_ids.dtype == np.int64 and (plain.track_ids == -1).all()
    assert (plain.boxes == 1).all() and plain.head_boxes is None and plain.areas is None


def test_default_boxes_hold_the_joints_that_are_not_absent() -> None:
    keypoints = np.array([[[1, 2], [5, 9], [100, 100]], [[7, 7], [8, 8], [9, 9]]], np.float32)
    visibility = np.array([[2, 1, 0], [0, 0, 0]], np.uint8)
    assert joint_boxes(keypoints, visibility).tolist() == [[1, 2, 5, 9], [0, 0, 0, 0]]


def test_length_and_frames() -> None:
    all_poses = poses()
    assert len(all_poses) == 4
    assert all_poses.frame(0).track_ids.tolist() == [0, 1]
    assert all_poses.frame(1).track_ids.tolist() == []
    assert all_poses.frame(-1).track_ids.tolist() == [5]
    assert all_poses.frame(2).frame_names == ("000002.jpg",)
    with pytest.raises(IndexError, match="frame must be within 4 frames, got 4"):
        all_poses.frame(4)


def test_iteration_gives_the_frames() -> None:
    all_poses = poses()
    frames = list(all_poses)
    assert [frame.track_ids.tolist() for frame in frames] == [[0, 1], [], [2, 3, 4], [5]]
    assert [frame.frame_names for frame in frames] == [(name,) for name in all_poses.frame_names]
    assert np.shares_memory(frames[0].keypoints, all_poses.keypoints)
    assert list(all_poses[:0]) == []


@pytest.mark.parametrize("index", [slice(None), slice(1, 3), slice(None, None, 2), slice(None, None, -1), slice(3, 1)])
def test_a_slice_of_frames_holds_those_frames(index: slice) -> None:
    all_poses = poses()
    part = all_poses[index]
    wanted = list(range(4))[index]
    assert len(part) == len(wanted)
    for f, original in enumerate(wanted):
        assert part.frame(f).track_ids.tolist() == all_poses.frame(original).track_ids.tolist()
        assert part.frame_names[f] == all_poses.frame_names[original]
    assert part.frame_size.shape == (len(wanted), 2)


def test_a_slice_with_step_one_is_a_view() -> None:
    all_poses = poses()
    assert np.shares_memory(all_poses[1:3].keypoints, all_poses.keypoints)


def test_an_index_that_is_no_slice_is_an_error() -> None:
    with pytest.raises(TypeError, match=r"indexed by a slice of frames, got int; use frame\(f\) for one"):
        poses()[0]


def test_select_keeps_frames_that_lose_everybody() -> None:
    selected = poses().select(np.array([True, False, False, False, True, False]))
    assert np.diff(selected.frame_offsets).tolist() == [1, 0, 1, 0]
    assert selected.track_ids.tolist() == [0, 4]


def test_select_takes_masks_of_either_kind() -> None:
    torch = pytest.importorskip("torch")
    mask = np.arange(6) % 3 == 1
    expected = poses().select(mask)
    for given in (poses(), poses().to("cpu")):
        for chosen in (mask, torch.from_numpy(mask), mask.tolist()):
            selected = given.select(chosen)
            assert type(selected.keypoints) is type(given.keypoints)
            assert selected.frame_offsets.tolist() == expected.frame_offsets.tolist()
            np.testing.assert_array_equal(selected.keypoints, expected.keypoints)


def test_select_wants_truth_values() -> None:
    with pytest.raises(TypeError, match="mask must have dtype bool, got int64"):
        poses().select(np.arange(6))


def test_a_change_of_the_callers_offsets_changes_nothing() -> None:
    offsets = np.array([0, 1, 3])
    made = Poses(np.zeros((3, 15, 2)), offsets, POSETRACK_15)
    offsets[1] = 10**9
    assert made.frame_offsets.tolist() == [0, 1, 3]


def test_concatenate_undoes_slicing() -> None:
    all_poses = poses(areas=np.arange(6))
    joined = Poses.concatenate([all_poses[:2], all_poses[2:]])
    assert (joined.frame_offsets == all_poses.frame_offsets).all()
    assert (joined.areas == all_poses.areas).all() and joined.frame_names == all_poses.frame_names


def test_concatenate_refuses_parts_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="parts must hold at least one Poses, got none"):
        Poses.concatenate([])
    with pytest.raises(ValueError, match="areas must be there in all parts or in none"):
        Poses.concatenate([poses(), poses(areas=np.arange(6))])
    with pytest.raises(ValueError, match=r"parts must share one skeleton, got \['posetrack_15', 'posetrack_17'\]"):
        Poses.concatenate([poses(), poses().to_skeleton(POSETRACK_17)])


def test_fifteen_joints_to_seventeen_and_back_is_the_same() -> None:
    original = poses()
    wider = original.to_skeleton(POSETRACK_17)
    ears = [POSETRACK_17.index("left_ear"), POSETRACK_17.index("right_ear")]
    assert (wider.joint_visibility[:, ears] == 0).all() and (wider.keypoints[:, ears] == 0).all()
    back = wider.to_skeleton(POSETRACK_15)
    assert (back.keypoints == original.keypoints).all() and (back.boxes == original.boxes).all()
    assert (original.joint_visibility == 2).all()


def test_coco_poses_lack_neck_and_head_top() -> None:
    coco = Poses(np.ones((1, 17, 2)), [0, 1], COCO_17)
    mapped = coco.to_skeleton(POSETRACK_15, extrapolate_head=False)
    assert mapped.joint_visibility[0, [12, 14]].tolist() == [0, 0] and mapped.joint_visibility.sum() == 26


def test_head_size_takes_the_first_source_that_a_pose_has() -> None:
    keypoints = np.zeros((3, 15, 2), np.float32)
    keypoints[:, 14] = [3, 4]
    visibility = np.full((3, 15), 2, np.uint8)
    visibility[2, 12] = 0
    heads = np.array([[0, 0, 30, 40], [np.nan] * 4, [np.nan] * 4], np.float32)
    boxes = np.tile(np.array([0, 0, 60, 80], np.float32), (3, 1))
    mixed = Poses(keypoints, [0, 3], POSETRACK_15, joint_visibility=visibility, head_boxes=heads, boxes=boxes)
    np.testing.assert_allclose(head_sizes(mixed), [30, 5, 15])


def test_head_sizes_of_tensors_are_tensors() -> None:
    torch = pytest.importorskip("torch")
    heads = np.where(np.arange(6)[:, None] % 2, np.nan, np.float32([0, 0, 30, 41]))
    given = poses(head_boxes=heads, joint_visibility=np.arange(90).reshape(6, 15) % 4)
    sizes = head_sizes(given.to("cpu"))
    assert sizes.dtype == torch.float64
    np.testing.assert_allclose(sizes, head_sizes(given), rtol=1e-15)


def test_area_is_the_column_or_else_the_boxs() -> None:
    boxes = np.array([[0, 0, 2, 3]] * 6)
    assert pose_areas(poses(boxes=boxes)).tolist() == [6] * 6
    assert pose_areas(poses(boxes=boxes, areas=np.arange(6))).tolist() == list(range(6))


def test_tensors_and_back() -> None:
    torch = pytest.importorskip("torch")
    tensors = poses().to("cpu")
    assert isinstance(tensors.keypoints, torch.Tensor) and isinstance(tensors.frame_offsets, np.ndarray)
    assert tensors.select(torch.arange(6) < 3)[:1].track_ids.tolist() == [0, 1]
    assert Poses.concatenate([tensors, tensors]).keypoints.shape == (12, 15, 2)
    assert tensors.to_skeleton(POSETRACK_17).keypoints.shape == (6, 17, 2)
    assert (tensors.numpy().keypoints == poses().keypoints).all()
    made = Poses(torch.zeros(2, 15, 2), [0, 2], POSETRACK_15)
    assert isinstance(made.boxes, torch.Tensor)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"keypoints": np.zeros((3, 17))}, r"keypoints must have shape \(N, K, 2\) with K = 15, got \(3, 17\)"),
        ({"frame_offsets": [0, 2]}, r"frame_offsets must rise from 0 to 3, the number of poses, got \[0, 2\]"),
        ({"frame_offsets": [0, 4, 3]}, "frame_offsets must rise from 0 to 3"),
        ({"scores": np.zeros(2)}, r"scores must have shape \(N,\) with N = 3, got \(2,\)"),
        ({"boxes": np.zeros((3, 5))}, r"boxes must have shape \(N, 4\) with N = 3, got \(3, 5\)"),
        ({"frame_names": "ab"}, "frame_names must have one entry for each of 2 frames, got 2"),
        ({"frame_size": [1, 2]}, r"frame_size must have shape \(F, 2\), got \(2,\)"),
        ({"track_ids": [0.5, 1, 2]}, "track_ids must hold numbers that int64 can hold, got 0.5"),
        ({"track_ids": [0, np.nan, 2]}, "track_ids must hold numbers that int64 can hold, got nan"),
        (
            {"joint_visibility": np.full((3, 15), 300)},
            "joint_visibility must hold numbers that uint8 can hold, got 300",
        ),
        ({"frame_offsets": [0, 1.5, 3]}, "frame_offsets must hold numbers that int64 can hold, got 1.5"),
        ({"frame_names": ("a",)}, "frame_names must have one entry for each of 2 frames, got 1"),
    ],
)
def test_what_does_not_fit_is_an_error(columns: dict, message: str) -> None:
    fitting = {"keypoints": np.zeros((3, 15, 2)), "frame_offsets": [0, 1, 3], "skeleton": POSETRACK_15}
    with pytest.raises(ValueError, match=message):
        Poses(**(fitting | columns))
