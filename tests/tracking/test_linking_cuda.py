"""link on a GPU: the same ids as on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from ptfast import _native, ops
from ptfast.ops.linking import LinkOptions, PoseColumns, runs_on_gpu
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.tracking import link

KEEP_ALL = {"min_score": None, "min_joint_score": None}


def crowd(frames: int, people: int, seed: int = 0) -> Poses:
    """People who walk past each other, some missed in some frames, with scores and joints of all kinds."""
    random = np.random.default_rng([seed, frames, people])
    present = random.random((frames, people)) < 0.8
    start, speed = random.uniform(0, 60 * people**0.5, (people, 2)), random.uniform(-5, 5, (people, 2))
    body = random.uniform(-30, 30, (people, 15, 2)) + random.normal(0, 2, (frames, people, 15, 2))
    keypoints = ((start + np.arange(frames)[:, None, None] * speed)[:, :, None] + body)[present]
    count = len(keypoints)
    return Poses(
        keypoints,
        np.concatenate([[0], np.cumsum(present.sum(1))]),
        POSETRACK_15,
        joint_scores=random.random((count, 15)) ** 0.3,
        joint_visibility=random.choice([0, 1, 2], (count, 15), p=[0.2, 0.1, 0.7]),
        scores=random.random(count) ** 0.3,
    )


@pytest.fixture
def on_gpu(cuda, monkeypatch: pytest.MonkeyPatch) -> Callable[[Poses], Poses]:
    """Moves poses to the GPU; on the emulator, where tensors stay, `link` takes them for a GPU's all the same."""
    if not cuda(torch.zeros(0)).is_cuda:
        monkeypatch.setattr("ptfast.ops.linking.runs_on_gpu", lambda columns, *_: torch.is_tensor(columns.keypoints))
        return lambda poses: poses.to("cpu")
    return lambda poses: poses.to("cuda")


def assert_same(got: Poses, expected: Poses) -> None:
    assert torch.is_tensor(got.track_ids) and got.track_ids.device == got.keypoints.device
    np.testing.assert_array_equal(got.frame_offsets, expected.frame_offsets)
    got = got.numpy()
    for name in ("track_ids", "keypoints", "joint_visibility", "joint_scores", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("matcher", ["hungarian", "greedy"])
@pytest.mark.parametrize("cost", ["oks", "iou", "pckh"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"lookback": 1, "max_cost": None, **KEEP_ALL},
        {"lookback": 3, "max_cost": 0.7, "min_score": 0.7, "min_joint_score": 0.6, "keep_filtered": True},
        {"max_tracks": 4},
        {"max_tracks": 3, "max_cost": 0.6, "keep_filtered": True, "sigma_scale": 4.0},
    ],
)
@pytest.mark.parametrize(("frames", "people"), [(30, 6), (7, 45), (1, 3), (20, 1)])
def test_ids_equal_those_of_the_cpu(on_gpu, frames: int, people: int, options: dict, cost: str, matcher: str) -> None:
    poses = crowd(frames, people)
    arguments = {"cost": cost, "matcher": matcher, "motion": "none", **options}
    assert_same(link(on_gpu(poses), **arguments), link(poses, **arguments))


@pytest.mark.parametrize("cost", ["oks", "iou", "pckh"])
def test_optional_columns_count(on_gpu, cost: str) -> None:
    poses = crowd(20, 6)
    random = np.random.default_rng(0)
    heads = np.concatenate([poses.boxes[:, :2], poses.boxes[:, :2] + random.uniform(5, 30, (len(poses.boxes), 2))], 1)
    heads[::3] = np.nan
    areas = random.uniform(-10, 9000, len(heads))
    poses = replace(poses, head_boxes=heads, areas=areas)
    expected = link(poses, cost=cost, motion="none")
    assert_same(link(on_gpu(poses), cost=cost, motion="none"), expected)
    bare = link(replace(poses, head_boxes=None, areas=None), cost=cost, motion="none").track_ids
    assert (cost == "iou") == np.array_equal(bare, expected.track_ids)


def test_a_frame_as_full_as_the_kernels_take(on_gpu) -> None:
    poses = crowd(4, 64)
    poses = replace(poses, frame_offsets=[0, 64, 128, len(poses.scores) - 40, len(poses.scores)])
    arguments = {"motion": "none", "max_cost": None, **KEEP_ALL}
    assert np.diff(link(poses, **arguments).frame_offsets).max() == 64
    assert_same(link(on_gpu(poses), **arguments), link(poses, **arguments))


@pytest.mark.parametrize("frames", [0, 1, 5])
def test_empty_videos_and_frames(on_gpu, frames: int) -> None:
    poses = Poses(np.zeros((0, 15, 2)), np.zeros(frames + 1, int), POSETRACK_15)
    linked = link(on_gpu(poses), motion="none")
    assert len(linked) == frames and linked.track_ids.shape == (0,)
    poses = replace(crowd(5, 4), scores=np.zeros(len(crowd(5, 4).scores)))
    assert_same(link(on_gpu(poses), motion="none"), link(poses, motion="none"))


def test_a_long_track_keeps_its_id(on_gpu) -> None:
    body = np.random.default_rng(0).uniform(-20, 20, (15, 2))
    keypoints = np.repeat(body[None], 401, 0)
    keypoints[200] += 1000  # one stranger, between two parts of the track
    linked = link(on_gpu(Poses(keypoints, np.arange(402), POSETRACK_15)), motion="none", lookback=2)
    assert linked.track_ids.tolist() == [0] * 200 + [1] + [0] * 200


def test_an_infinite_coordinate_is_an_error_where_the_joint_exists(on_gpu) -> None:
    poses = crowd(6, 5)
    poses.joint_visibility[7] = 2
    poses.keypoints[7, 3, 1] = np.inf
    moved = on_gpu(poses)
    with pytest.raises(ValueError, match=r"keypoints must be finite, got inf at \(7, 3, 1\)"):
        link(moved, motion="none", **KEEP_ALL)
    poses.joint_visibility[7, 3] = 0
    assert_same(link(on_gpu(poses), motion="none"), link(poses, motion="none"))
    with pytest.raises(ValueError, match="boxes must be finite"):
        link(on_gpu(replace(poses, boxes=np.full_like(poses.boxes, np.inf))), motion="none")


def test_a_threshold_is_compared_in_float32(on_gpu) -> None:
    poses = crowd(6, 5)
    poses = replace(poses, scores=np.full_like(poses.scores, 0.4), joint_scores=np.full_like(poses.joint_scores, 0.45))
    linked = link(on_gpu(poses), motion="none")
    assert len(linked.scores) > 20
    assert_same(linked, link(poses, motion="none"))


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(on_gpu, request: pytest.FixtureRequest, order: str) -> None:
    if "emulated" not in request.node.name:
        pytest.skip("a GPU has an order of its own")
    poses = crowd(12, 20)
    request.getfixturevalue("emulated_cuda").control.set_order(order, 1)
    assert_same(link(on_gpu(poses), motion="none"), link(poses, motion="none"))


def test_only_work_that_fits_runs_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        is_cuda = True

    def runs(poses: Poses, **options) -> bool:
        columns = PoseColumns(Elsewhere(), poses.joint_visibility, poses.boxes)
        return runs_on_gpu(columns, poses.frame_offsets, LinkOptions(**options))

    monkeypatch.setattr(_native, "with_cuda", True)
    crowded = Poses(np.zeros((65, 15, 2)), [0, 0, 65], POSETRACK_15)
    assert runs(crowd(3, 4)) and runs(crowd(3, 4), cost="iou") and runs(crowd(3, 4), max_tracks=2)
    assert not runs(crowd(3, 4), motion="velocity")
    assert not runs(crowd(3, 4), cost=lambda earlier, rows_a, shifts, current, rows_b: [0.0])
    assert not runs(crowded)
    monkeypatch.setattr(_native, "with_cuda", False)
    assert not runs(crowd(3, 4))


@pytest.mark.cuda
def test_work_that_does_not_fit_the_gpu_gives_the_ids_of_the_host() -> None:
    def distance(a: Poses, b: Poses) -> np.ndarray:
        return 1 - ops.iou_matrix(a.boxes, b.boxes)

    for poses, options in (
        (crowd(10, 5), {}),
        (crowd(10, 5), {"cost": distance, "motion": "none"}),
        (crowd(3, 100), {"motion": "none"}),
    ):
        linked = link(poses.to("cuda"), **options)
        assert linked.keypoints.is_cuda
        assert_same(linked, link(poses, **options))


@pytest.mark.cuda
def test_a_long_video_of_many_people() -> None:
    poses = crowd(20000, 20)
    assert_same(link(poses.to("cuda"), cost="iou", motion="none"), link(poses, cost="iou", motion="none"))
