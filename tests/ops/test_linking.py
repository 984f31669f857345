"""link_columns: the ids of link, from columns of any kind, and its errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ptfast.ops import LinkOptions, PoseColumns, link_columns
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import detections, scene
from ptfast.tracking import link

SIGMAS = [2 * sigma for sigma in POSETRACK_15.sigmas]
KEEP_ALL = {"min_score": None, "min_joint_score": None}


@pytest.fixture(scope="module")
def poses() -> Poses:
    return detections(scene(7, frames=30, people=6), 7)


def columns_of(poses: Poses) -> PoseColumns:
    return PoseColumns(poses.keypoints, poses.joint_visibility, poses.boxes, poses.areas, head_sizes(poses))


@pytest.mark.parametrize("cost", ["oks", "iou", "pckh"])
@pytest.mark.parametrize("motion", ["none", "velocity"])
def test_ids_are_those_of_link(poses: Poses, cost: str, motion: str) -> None:
    options = {"cost": cost, "motion": motion, "lookback": 3, "max_cost": 0.9, "max_tracks": 5}
    ids = link_columns(columns_of(poses), poses.frame_offsets, SIGMAS, LinkOptions(**options))
    assert ids.dtype == np.int64 and ids.max() > 5
    np.testing.assert_array_equal(ids, link(poses, **options, **KEEP_ALL).track_ids)


def test_tensors_other_dtypes_and_strides_change_nothing(poses: Poses) -> None:
    columns, options = columns_of(poses), LinkOptions(max_cost=0.9)
    expected = link_columns(columns, poses.frame_offsets, SIGMAS, options)
    wide = PoseColumns(*(column.astype(np.float64) for column in columns[:1]), *columns[1:])
    strided = PoseColumns(*(None if c is None else np.repeat(c, 2, 0)[::2] for c in columns))
    for other in (wide, strided):
        np.testing.assert_array_equal(link_columns(other, poses.frame_offsets, SIGMAS, options), expected)
    tensors = PoseColumns(*(None if c is None else torch.from_numpy(c) for c in columns))
    tensors.keypoints.requires_grad_()
    ids = link_columns(tensors, poses.frame_offsets, np.array(SIGMAS), options)
    assert ids.dtype == torch.int64
    np.testing.assert_array_equal(ids.numpy(), expected)


def test_a_function_is_asked_for_rows_of_frames() -> None:
    asked = []

    def cost(earlier: int, rows_a: list[int], shifts: list[float], current: int, rows_b: list[int]) -> list[float]:
        asked.append((earlier, rows_a, len(shifts), current, rows_b))
        return [0.0 if (a, b) in ((0, 1), (1, 0)) else 2.0 for a in rows_a for b in rows_b]

    columns = PoseColumns(np.zeros((5, 3, 2), np.float32), np.ones((5, 3), np.uint8), np.zeros((5, 4), np.float32))
    for motion, shifts in (("none", 0), ("velocity", 4)):
        options = LinkOptions(cost=cost, motion=motion, max_cost=1)
        ids = link_columns(columns, np.array([0, 2, 3, 5]), [0.1] * 3, options)
        assert ids.tolist() == [0, 1, 1, 2, 1]
        assert (0, [0, 1], shifts, 1, [0]) in asked and (1, [0], shifts // 2, 2, [0, 1]) in asked


def test_nobody() -> None:
    columns = PoseColumns(np.zeros((0, 15, 2)), np.zeros((0, 15)), np.zeros((0, 4)))
    assert link_columns(columns, np.zeros(4, np.int64), SIGMAS, LinkOptions()).shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": np.zeros((2, 15, 3))}, r"keypoints must have shape \(N, K, 2\), got \(2, 15, 3\)"),
        ({"visibility": np.ones((2, 14))}, r"visibility must have shape \(N, K\) with N = 2, K = 15, got \(2, 14\)"),
        ({"boxes": np.zeros((3, 4))}, r"boxes must have shape \(N, 4\) with N = 2, got \(3, 4\)"),
        ({"areas": np.ones(1)}, r"areas must have shape \(N,\) with N = 2, got \(1,\)"),
        ({"head_sizes": np.ones((2, 1))}, r"head_sizes must have shape \(N,\) with N = 2, got \(2, 1\)"),
        ({"boxes": np.full((2, 4), np.inf)}, r"boxes must be finite, got inf at \(0, 0\)"),
        ({"areas": np.array([1, -np.inf])}, r"areas must be finite, got -inf at \(1,\)"),
    ],
)
def test_wrong_columns_are_errors(change: dict[str, np.ndarray], message: str) -> None:
    columns = PoseColumns(np.zeros((2, 15, 2)), np.ones((2, 15)), np.zeros((2, 4)), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match=message):
        link_columns(columns._replace(**change), np.array([0, 1, 2]), SIGMAS, LinkOptions())


def test_wrong_offsets_sigmas_and_options_are_errors() -> None:
    columns = PoseColumns(np.zeros((2, 15, 2)), np.ones((2, 15)), np.zeros((2, 4)))
    offsets = np.array([0, 1, 2])
    with pytest.raises(ValueError, match=r"frame_offsets must rise from 0 to 2, the number of poses, got \[0, 1\]"):
        link_columns(columns, offsets[:2], SIGMAS, LinkOptions())
    with pytest.raises(ValueError, match="sigmas must have one entry for each of 15 joints, got 17"):
        link_columns(columns, offsets, [0.1] * 17, LinkOptions())
    with pytest.raises(ValueError, match="head_sizes must be given for cost 'pckh', got None"):
        link_columns(columns, offsets, SIGMAS, LinkOptions(cost="pckh"))
    with pytest.raises(ValueError, match="cost must be 'oks', 'iou', 'pckh' or a function, got 'l2'"):
        LinkOptions(cost="l2")  # type: ignore[arg-type]


def test_hidden_joints_may_hold_anything(poses: Poses) -> None:
    columns = columns_of(poses)
    hidden = columns.visibility == 0
    assert hidden.any()
    for motion in ("none", "velocity"):
        options = LinkOptions(motion=motion, max_cost=0.9, lookback=2)
        expected = link_columns(columns, poses.frame_offsets, SIGMAS, options)
        for value in (np.nan, np.inf, 3e38):
            keypoints = np.where(hidden[..., None], np.float32(value), columns.keypoints)
            ids = link_columns(columns._replace(keypoints=keypoints), poses.frame_offsets, SIGMAS, options)
            np.testing.assert_array_equal(ids, expected)
