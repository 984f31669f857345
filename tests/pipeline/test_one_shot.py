"""MultiPose as a one-shot estimator, with a small untrained network: what goes where; and once with the shipped one."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import open_video, read_poses
from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.ops import oks_matrix
from ptfast.pipeline import MultiPose, MultiPoseSettings
from ptfast.pipeline.images import LONGEST_SIDE, padded
from ptfast.pipeline.nanodet_boxes import NanoDetSettings
from ptfast.pipeline.one_shot import long_sides, wants_larger
from ptfast.pipeline.onnx.estimators import OnnxSettings
from ptfast.pipeline.people import BODY_SHARE, Found, merged
from ptfast.pipeline.weights import load_movenet_weights
from ptfast.skeletons import COCO_17, POSETRACK_15
from ptfast.structures import Poses

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "posetrack"


def estimator(**settings: object) -> MultiPose:
    """A narrow network that finds people everywhere, with boxes of 40 pixels or so."""
    torch.manual_seed(0)
    model = MoveNet(MoveNetArchitecture(width=0.125))
    torch.nn.init.constant_(model.heads["box_scale"].out.bias, 10)
    return MultiPose(model, settings=MultiPoseSettings(**{"long_side": 96, **settings}))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Five smooth pictures of 72 x 96 pixels."""
    rng = np.random.default_rng(0)
    return [cv2.resize(rng.integers(0, 256, (9, 12, 3), np.uint8), (96, 72)) for _ in range(5)]


def same(a: Poses, b: Poses, tolerance: float = 1e-2) -> None:
    np.testing.assert_array_equal(a.frame_offsets, b.frame_offsets)
    for name in ("keypoints", "boxes"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=tolerance)
    for name in ("joint_scores", "scores"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-4)


def test_people_have_joints_boxes_and_scores_in_descending_order(pictures: list[np.ndarray]) -> None:
    poses = estimator()(pictures)
    assert len(poses) == 5 and poses.skeleton == COCO_17 and (np.diff(poses.frame_offsets) > 1).all()
    assert poses.frame_size is not None and poses.frame_size.tolist() == [[96, 72]] * 5
    for frame in poses:
        assert (np.diff(frame.scores) <= 0).all() and frame.scores.min() > 0 and frame.scores.max() < 1
        assert len({*frame.joint_scores.ravel().tolist()}) > 17
    assert 20 < (poses.boxes[:, 2] - poses.boxes[:, 0]).max() <= 60


def test_a_batch_gives_what_single_images_give(pictures: list[np.ndarray]) -> None:
    estimate = estimator()
    same(estimate(pictures), Poses.concatenate([estimate([picture]) for picture in pictures]))


def test_lost_images_and_several_sizes_keep_their_places(pictures: list[np.ndarray]) -> None:
    estimate, wide = estimator(), cv2.resize(pictures[1], (200, 60))
    poses = estimate([pictures[0], None, wide, None, pictures[1]])
    assert poses.frame_size is not None
    assert poses.frame_size.tolist() == [[96, 72], [0, 0], [200, 60], [0, 0], [96, 72]]
    assert (np.diff(poses.frame_offsets) == 0).tolist() == [False, True, False, True, False]
    for place, image in ((0, pictures[0]), (2, wide), (4, pictures[1])):
        same(poses.frame(place), estimate([image]))


@pytest.mark.parametrize("images", [[], [None], [None, None]])
def test_without_an_image_there_is_nobody(images: list[None]) -> None:
    poses = estimator()(images)
    assert len(poses) == len(images) and poses.keypoints.shape == (0, 17, 2)


def test_coordinates_are_the_images(pictures: list[np.ndarray]) -> None:
    """An image of four pixels for each has the same people at twice the coordinates."""
    estimate = estimator()
    small, large = estimate(pictures[:1]), estimate([pictures[0].repeat(2, 0).repeat(2, 1)])
    np.testing.assert_allclose(large.keypoints, 2 * small.keypoints, atol=1e-3)
    np.testing.assert_allclose(large.boxes, 2 * small.boxes, atol=1e-3)
    np.testing.assert_allclose(large.scores, small.scores, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "inside", "whole"),
    [
        ((540, 960), (360, 640), (384, 640)),  # made smaller
        ((960, 540), (640, 360), (640, 384)),  # upright
        ((60, 80), (480, 640), (480, 640)),  # made larger
        ((3, 900), (2, 640), (32, 640)),
        ((1, 2000), (1, 640), (32, 640)),  # a side stays at least a pixel
    ],
)
def test_images_keep_their_aspect_and_are_padded_with_black(
    shape: tuple[int, int], inside: tuple[int, int], whole: tuple[int, int]
) -> None:
    inputs, factor = padded([np.full((*shape, 3), 200, np.uint8)] * 2, 640)
    assert inputs.shape == (2, *whole, 3) and inputs.dtype == np.uint8
    assert (inputs[:, : inside[0], : inside[1]] == 200).all()
    assert inputs.sum(dtype=np.int64) == 2 * 3 * 200 * inside[0] * inside[1]
    np.testing.assert_allclose(factor, [shape[1] / inside[1], shape[0] / inside[0]], rtol=1e-6)


def test_an_image_made_smaller_has_the_means_of_areas() -> None:
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    inputs, _ = padded([image], 32)
    np.testing.assert_allclose(inputs[0], image.reshape(32, 4, 32, 4, 3).mean((1, 3)), atol=0.51)


@pytest.mark.parametrize(
    ("own", "sides"),
    [(100, (256, 640)), (640, (256, 640)), (800, (256, 640)), (960, (256, 640, 960)), (3840, (256, 640, 1280))],
)
def test_large_images_have_one_more_size(own: int, sides: tuple[int, ...]) -> None:
    assert long_sides(own) == sides


@pytest.mark.parametrize(
    ("heights", "scores", "wanted"),
    [
        ([], [], True),  # nobody: perhaps too small
        ([200, 300], [0.5, 0.5], False),
        ([200, 180], [0.5, 0.1], True),  # 90 pixels at half the size
        ([200, 180], [0.5, 0.04], False),  # which is nobody, likely
        ([180], [0.04], True),
    ],
)
def test_small_people_want_a_larger_image(heights: list[int], scores: list[float], wanted: bool) -> None:
    boxes = np.array([[10, 20, 40, 20 + height] for height in heights], np.float32).reshape(-1, 4)
    joints = np.zeros((len(heights), 17, 2), np.float32)
    assert wants_larger(Found(joints, joints[..., 0], boxes, np.array(scores, np.float32)), 0.5) == wanted


def test_each_image_is_seen_as_often_as_it_needs(pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of a batch in which people are large leave it, and what is seen of the others is put together."""
    seen: list[tuple[int, list[int]]] = []
    levels = [int(picture.sum()) for picture in pictures]

    def person(image: np.ndarray, side: int) -> Found:
        height = 80.0 if levels.index(int(image.sum())) in (0, 3) else 20.0  # of 96 pixels, seen at 256: 213 and 53
        box, joints = np.array([[0, 0, 10, height]], np.float32), np.full((1, 17, 2), side, np.float32)
        return Found(joints, joints[..., 0], box, np.array([side / 1000], np.float32))

    def look(images: list[np.ndarray], side: int) -> list[Found]:
        seen.append((side, [levels.index(int(image.sum())) for image in images]))
        return [person(image, side) for image in images]

    estimate = estimator(long_side=None)
    monkeypatch.setattr(estimate, "_seen", look)
    poses = estimate(pictures)
    assert seen == [(256, [0, 1, 2, 3, 4]), (640, [1, 2, 4])]
    assert np.diff(poses.frame_offsets).tolist() == [1, 2, 2, 1, 2]
    assert poses.frame(1).keypoints[:, 0, 0].tolist() == [640, 256]


def test_sizes_chosen_give_what_each_size_gives(pictures: list[np.ndarray]) -> None:
    everyone = {"max_oks": 1.0, "min_oks": 1.0}
    parts = [estimator(long_side=side, **everyone)(pictures[:1]) for side in (256, 640)]
    together = estimator(long_side=None, **everyone)(pictures[:1])
    assert min(len(part.scores) for part in parts) > 1
    scores = np.sort(np.concatenate([part.scores for part in parts]))[::-1]
    np.testing.assert_allclose(together.scores, scores, atol=1e-6)
    assert len(estimator(long_side=None, max_oks=1.0, min_oks=0.0)(pictures[:1]).scores) < len(scores)


def moved(people: Found, by: float, scores: list[float]) -> Found:
    return Found(people.keypoints + by, people.joint_scores, people.boxes + by, np.array(scores, np.float32))


def test_neighbours_whom_both_looks_tell_apart_stay_apart() -> None:
    """Three people a little apart, seen twice: the second look has the third alone and is surer of the first."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(0, 200, (1, 17, 2)).astype(np.float32) + np.array([0, 20, 400], np.float32)[:, None, None]
    boxes = np.concatenate([joints.min(1), joints.max(1)], 1)
    first = Found(joints, np.ones((3, 17), np.float32), boxes, np.array([0.5, 0.6, 0.7], np.float32))
    again = moved(first, 1.0, [0.8, 0.3, 0.2])
    areas, sigmas = first.areas, np.array(COCO_17.sigmas, np.float32)
    assert oks_matrix(joints, joints, area=(areas, areas), sigmas=sigmas)[0, 1] > 0.2
    found = merged(first.select(np.array([0, 1])), again, COCO_17, 0.2)
    assert sorted(found.scores.tolist()) == pytest.approx([0.2, 0.6, 0.8])
    np.testing.assert_array_equal(found.keypoints[found.scores > 0.7], again.keypoints[:1])
    assert len(merged(first, again, COCO_17, 1.0).scores) == 6
    nothing = first.select(np.array([], np.int64))
    np.testing.assert_array_equal(merged(nothing, again, COCO_17, 0.2).scores, again.scores)
    np.testing.assert_array_equal(merged(first, nothing, COCO_17, 0.2).scores, first.scores)


def similarity(poses: Poses) -> np.ndarray:
    """(N, N) OKS of a frame's poses, 0 of a pose with itself."""
    areas = BODY_SHARE * (poses.boxes[:, 2:] - poses.boxes[:, :2]).prod(1)
    sigmas = np.array(poses.skeleton.sigmas, np.float32)
    return oks_matrix(poses.keypoints, poses.keypoints, area=(areas, areas), sigmas=sigmas) * ~np.eye(
        len(areas), dtype=bool
    )


def test_doubles_are_suppressed(pictures: list[np.ndarray]) -> None:
    everyone, found = estimator(max_oks=1.0)(pictures), estimator(max_oks=0.05)(pictures)
    assert max(similarity(frame).max() for frame in everyone) > 0.05
    assert max(similarity(frame).max() for frame in found) <= 0.05
    assert 5 < len(found.scores) < len(everyone.scores)


def test_people_are_limited(pictures: list[np.ndarray]) -> None:
    assert np.diff(estimator(max_people=2, max_oks=1.0)(pictures).frame_offsets).tolist() == [2] * 5
    assert len(estimator(min_center_score=1.0)(pictures).scores) == 0


def test_a_wrong_network_skeleton_or_setting_is_named() -> None:
    with pytest.raises(ValueError, match="model must have boxes"):
        MultiPose(load_movenet_weights("movenet-thunder").model)
    with pytest.raises(ValueError, match="skeleton must have the model's 17 joints, got 15"):
        MultiPose(estimator().model, POSETRACK_15)
    for name, value in (("long_side", 31), ("max_people", 0), ("min_center_score", 1.5), ("max_oks", -0.1)):
        with pytest.raises(ValueError, match=f"{name} must be"):
            MultiPoseSettings(**{name: value})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"long_side must be an integer, got 640\.5"):
        MultiPoseSettings(long_side=640.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [MultiPoseSettings, NanoDetSettings, OnnxSettings])
def test_a_side_that_no_memory_holds_is_refused(kind: type) -> None:
    kind(long_side=LONGEST_SIDE)
    with pytest.raises(ValueError, match="long_side must be between 32 and 8192, got 100000"):
        kind(long_side=100_000)


def test_the_shipped_network_sees_real_people() -> None:
    frames = DATA / "images" / "val" / "470979_bonn"
    if not frames.exists():
        pytest.skip(f"needs the optional pictures {frames}")
    truth = read_poses(DATA / "annotations" / "val" / "470979_bonn.json").frame(0)
    first = next(iter(open_video(frames)))
    estimate = MultiPose(load_movenet_weights("movenet-multipose").model, settings=MultiPoseSettings(long_side=640))
    poses = estimate([first.image])
    names = [name for name in COCO_17.joints if name in truth.skeleton.joints]
    ours, theirs = ([skeleton.joints.index(name) for name in names] for skeleton in (COCO_17, truth.skeleton))
    there = truth.joint_visibility[:, theirs] > 0
    seen = poses.keypoints[poses.scores >= 0.12][:, ours]
    areas = BODY_SHARE * (truth.boxes[:, 2:] - truth.boxes[:, :2]).prod(1)
    sigmas = np.array(COCO_17.sigmas)[ours].astype(np.float32)
    oks = oks_matrix(seen, truth.keypoints[:, theirs], area=areas, sigmas=sigmas, b_visible=there)
    assert len(truth.scores) == len(seen) == 4
    assert {*oks.argmax(1).tolist()} == {0, 1, 2, 3} and oks.max(1).min() > 0.5


def test_bfloat16_moves_people_a_little(pictures: list[np.ndarray]) -> None:
    wide, narrow = estimator(precision="float32"), estimator(precision="bfloat16")
    assert narrow.model.stem.weight.dtype == torch.bfloat16 and wide.model.stem.weight.dtype == torch.float32
    exact = wide(pictures)
    assert narrow.depends_on()["precision"] == "bfloat16"
    near = narrow(pictures)
    assert 0 < abs(float(near.scores.max() - exact.scores.max())) < 0.05
    with pytest.raises(ValueError, match="precision must be 'auto', 'float32' or 'bfloat16', got 'half'"):
        estimator(precision="half")
