"""Partial poses: a person who shows a hand or a face alone keeps the id, and full poses link as ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from ptfast.reference.linking import link_ids
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses
from ptfast.tracking import OnlineLinker, link

KEEP_ALL = {"min_score": None, "min_joint_score": None}
FACE, WRIST = (0, 1, 2, 3, 4), (9,)
WALKER = np.array(
    [[0, -80], [4, -84], [-4, -84], [8, -82], [-8, -82], [18, -60], [-18, -60], [24, -30], [-24, -30], [28, 0],
     [-28, 0], [12, 0], [-12, 0], [13, 40], [-13, 40], [14, 80], [-14, 80]], float,
)  # fmt: skip
SWING = {7: 6, 8: -6, 9: 12, 10: -12, 15: -12, 16: 12}  # pixels that elbows, wrists and ankles go to and fro


def walkers(frames: int = 90, people: int = 2, seed: int = 0) -> Poses:
    """People of 160 pixels who walk side by side with all joints in view."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames)[:, None, None]
    keypoints = WALKER + rng.normal(0, 1, (frames, people, 17, 2))
    keypoints += np.arange(people)[:, None, None] * [110, 8] + 200
    keypoints += t[..., None] * [3, 0.3]
    for joint, width in SWING.items():
        keypoints[:, :, joint, 0] += width * np.sin(0.6 * t[..., 0] + np.arange(people))
    ids = np.tile(np.arange(people), frames)
    return Poses(keypoints.reshape(-1, 17, 2), np.arange(frames + 1) * people, COCO_17, track_ids=ids)


def showing(poses: Poses, joints: tuple[int, ...], frames: np.ndarray) -> Poses:
    """The same, of whom only these joints are seen in these frames (F,) bool; boxes are of what is seen."""
    rows = np.repeat(frames, np.diff(poses.frame_offsets))
    visibility = poses.joint_visibility.copy()
    visibility[rows] = 0
    visibility[np.ix_(rows, joints)] = 2
    return replace(poses, joint_visibility=visibility, boxes=None)


def at_random(seed: int) -> Poses:
    """Five people of whom each frame shows some joints, often few."""
    rng = np.random.default_rng(seed)
    poses = walkers(30, 5, seed)
    seen = rng.random(poses.joint_visibility.shape) < rng.choice([0.1, 0.4, 1], (len(poses.scores), 1))
    seen[:, 0] |= ~seen.any(1)
    near = poses.keypoints * np.float32(0.4)
    return replace(poses, keypoints=near, joint_visibility=2 * seen.astype(np.uint8), boxes=None)


def every(frames: int, period: int, run: int = 1) -> np.ndarray:
    """(F,) bool, True for the last `run` of every `period` frames."""
    return np.arange(frames) % period >= period - run


@pytest.mark.parametrize("joints", [WRIST, FACE])
@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("lookback", [1, 4])
def test_a_person_who_shows_a_part_every_third_frame_keeps_the_id(
    joints: tuple[int, ...], motion: str, lookback: int
) -> None:
    poses = showing(walkers(), joints, every(90, 3))
    arguments = {"motion": motion, "lookback": lookback}
    np.testing.assert_array_equal(link(poses, **arguments).track_ids, poses.track_ids)
    linker = OnlineLinker(**arguments)
    ids = np.concatenate([linker.update(frame).track_ids for frame in poses])
    np.testing.assert_array_equal(ids, poses.track_ids)


@pytest.mark.parametrize("joints", [WRIST, FACE])
def test_a_track_is_as_large_as_it_was_for_any_number_of_partial_poses(joints: tuple[int, ...]) -> None:
    poses = showing(walkers(), joints, every(90, 30, run=25))
    np.testing.assert_array_equal(link(poses).track_ids, poses.track_ids)


@pytest.mark.parametrize("motion", ["none", "velocity"])
@pytest.mark.parametrize("lookback", [1, 3])
@pytest.mark.parametrize("max_cost", [0.6, 0.9])
def test_ids_of_partial_poses_equal_the_specification(motion: str, lookback: int, max_cost: float) -> None:
    arguments = {"motion": motion, "lookback": lookback, "max_cost": max_cost, "sigma_scale": 2.0}
    for seed in range(6):
        poses = at_random(seed)
        expected = link_ids(poses, **arguments)
        np.testing.assert_array_equal(link(poses, **arguments, **KEEP_ALL).track_ids, expected)
        linker = OnlineLinker(**arguments, **KEEP_ALL)
        ids = np.concatenate([linker.update(frame).track_ids for frame in poses])
        np.testing.assert_array_equal(ids, expected)


def test_who_fits_at_their_own_size_is_not_taken_by_somebody_larger() -> None:
    """Two hands at rest, and a giant beside them whose size would allow either."""
    hand, giant = np.tile([[100.0, 100.0]], (17, 1)), 4 * WALKER
    giant = giant - giant[9] + [101, 100]
    visibility = np.zeros((3, 17), np.uint8)
    visibility[[0, 2], 9] = 2
    visibility[1] = 2
    poses = Poses(np.stack([hand, giant, hand]), [0, 2, 3], COCO_17, joint_visibility=visibility)
    for motion in ("none", "velocity"):
        assert link(poses, motion=motion).track_ids.tolist() == [0, 1, 0]


def test_a_part_that_is_far_away_is_somebody_else() -> None:
    poses = showing(walkers(2, 1), WRIST, np.array([False, True]))
    poses.keypoints[1] += 60
    for motion in ("none", "velocity"):
        assert link(poses, motion=motion).track_ids.tolist() == [0, 1]


@pytest.mark.parametrize("motion", ["none", "velocity"])
def test_a_function_as_cost_is_asked_about_the_poses_as_they_are(motion: str) -> None:
    poses = showing(walkers(30), WRIST, every(30, 3))

    def cost(earlier: Poses, current: Poses) -> np.ndarray:
        for frame in (earlier, current):
            whole = (frame.joint_visibility > 0).all(1)
            assert ((np.diff(frame.boxes[:, ::2])[:, 0] > 20) == whole).all() and frame.areas is None
        return np.abs(earlier.keypoints[:, None, 9] - current.keypoints[None, :, 9]).sum(2) / 100

    np.testing.assert_array_equal(link(poses, cost=cost, motion=motion).track_ids, poses.track_ids)


@pytest.mark.parametrize("motion", ["none", "velocity"])
def test_areas_of_full_poses_are_those_of_the_frame_alone(motion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full poses whose areas shrink by half each frame: an earlier one's area would let them move further."""
    places = np.cumsum([0, 10, 10, 10, 30])
    shrinking = WALKER * 0.5 ** np.arange(5)[:, None, None] + places[:, None, None] * [1, 0]
    poses = Poses(shrinking, np.arange(6), COCO_17)
    arguments = {"motion": motion, "lookback": 2, "sigma_scale": 1.0, "max_cost": 0.7}
    monkeypatch.setattr(
        "ptfast.reference.linking._Linker.usual_costs",
        lambda self, earlier, current, move: np.full((len(earlier), len(current)), np.inf),
    )
    expected = link_ids(poses, **arguments)
    assert expected.max() > 0
    np.testing.assert_array_equal(link(poses, **arguments).track_ids, expected)


@pytest.fixture
def on_gpu(cuda: Callable, monkeypatch: pytest.MonkeyPatch) -> Callable[[Poses], Poses]:
    """Moves poses to the GPU; on the emulator, where tensors stay, `link` takes them for a GPU's all the same."""
    torch = pytest.importorskip("torch")
    if not cuda(torch.zeros(0)).is_cuda:
        monkeypatch.setattr("ptfast.ops.linking.runs_on_gpu", lambda columns, *_: torch.is_tensor(columns.keypoints))
        return lambda poses: poses.to("cpu")
    return lambda poses: poses.to("cuda")


@pytest.mark.parametrize("matcher", ["hungarian", "greedy"])
@pytest.mark.parametrize("max_cost", [None, 0.9])
def test_ids_of_partial_poses_on_a_gpu_equal_those_of_the_cpu(
    on_gpu: Callable[[Poses], Poses], matcher: str, max_cost: float | None
) -> None:
    arguments = {"matcher": matcher, "max_cost": max_cost, "motion": "none", **KEEP_ALL}
    parts = [showing(walkers(30), joints, every(30, 3)) for joints in (WRIST, FACE)]
    for poses in (*parts, *(at_random(seed) for seed in range(4))):
        expected = link(poses, **arguments).track_ids
        np.testing.assert_array_equal(link(on_gpu(poses), **arguments).numpy().track_ids, expected)
