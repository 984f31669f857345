"""Crops of people and what a MoveNet sees in them, with a small untrained network; and once with the shipped one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import Frame
from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import SinglePose
from ptfast.pipeline.person_poses import crop, squares_about
from ptfast.skeletons import POSETRACK_15


def network(**options: object) -> SinglePose:
    torch.manual_seed(0)
    return SinglePose(MoveNet(MoveNetArchitecture(width=0.125, boxes=False)), size=64, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Three smooth pictures of 72 x 96 pixels."""
    rng = np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (9, 12, 3), np.uint8), (96, 72)) for _ in range(3)]
    return [Frame(picture, "", place) for place, picture in enumerate(pictures)]


BOXES = np.array([[10, 20, 30, 60], [50, 5, 90, 40], [-10, 30, 20, 90], [70, 40, 71, 41]], np.float32)


def test_threads_and_batches_change_no_bit(frames: list[Frame]) -> None:
    index, threads = np.zeros((len(BOXES), 1), np.int64), torch.get_num_threads()
    found = []
    try:
        for count, batch in ((1, 1), (1, 8), (3, 8)):
            torch.set_num_threads(count)
            found.append(network(batch=batch)(frames, BOXES, index))
    finally:
        torch.set_num_threads(threads)
    for keypoints, scores in found[1:]:
        np.testing.assert_array_equal(keypoints, found[0][0])
        np.testing.assert_array_equal(scores, found[0][1])


@pytest.mark.parametrize(
    ("box", "square"),
    [
        ([10, 20, 30, 60], [-5, 15, 50]),  # 40 high, so 50 about (20, 40)
        ([0, 0, 100, 20], [-13, -53, 125]),  # 125 about (50, 10)
        ([5, 5, 6, 6], [0, 0, 10]),  # at least 8 pixels
    ],
)
def test_a_square_is_a_quarter_larger_than_the_longer_side(box: list[int], square: list[int]) -> None:
    assert squares_about(np.array([box], np.float32)).tolist() == [square]


def test_no_boxes_have_no_squares() -> None:
    assert squares_about(np.zeros((0, 4), np.float32)).shape == (0, 3)


def test_a_crop_is_the_image_where_it_is_and_black_elsewhere() -> None:
    image = np.random.default_rng(0).integers(1, 256, (20, 30, 3), np.uint8)
    assert (crop(image, np.array([2, 3, 16]), 16) == image[3:19, 2:18]).all()
    outside = crop(image, np.array([-4, 12, 16]), 16)
    assert (outside[:8, 4:] == image[12:20, :12]).all()
    assert not outside[8:].any() and not outside[:, :4].any()
    assert not crop(image, np.array([40, 40, 16]), 16).any()


def test_a_large_square_has_the_means_of_its_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    means = image.reshape(16, 4, 16, 4, 3).mean((1, 3))
    np.testing.assert_allclose(crop(image, np.array([0, 0, 64]), 16), means, atol=0.51)


def test_people_of_several_frames_together_are_as_each_by_itself(frames: list[Frame]) -> None:
    estimate, index = network(batch=3), np.array([[0, 1], [1, 2], [2, 2], [0, 0]])
    keypoints, scores = estimate(frames, BOXES, index)
    assert keypoints.shape == (4, 2, 17, 2) and keypoints.dtype == scores.dtype == np.float32
    for person, places in enumerate(index):
        for step, place in enumerate(places):
            alone = estimate([frames[place]], BOXES[person : person + 1], np.zeros((1, 1), np.int64))
            np.testing.assert_allclose(keypoints[person, step], alone[0][0, 0], atol=1e-2)
            np.testing.assert_allclose(scores[person, step], alone[1][0, 0], atol=1e-4)


def test_joints_move_with_the_image(frames: list[Frame]) -> None:
    """A person further right and down in a larger image, all else black, has the same joints there."""
    image = frames[0].image
    assert image is not None
    moved = np.zeros((100, 140, 3), np.uint8)
    moved[20:92, 33:129] = image
    estimate, index = network(), np.zeros((1, 1), np.int64)
    here, scores = estimate(frames, BOXES[:1], index)
    there, again = estimate([Frame(moved, "", 0)], BOXES[:1] + np.array([33, 20, 33, 20], np.float32), index)
    np.testing.assert_allclose(there, here + np.array([33, 20]), atol=1e-3)
    np.testing.assert_allclose(again, scores, atol=1e-5)


def test_a_wrong_skeleton_or_size_is_named() -> None:
    with pytest.raises(ValueError, match="skeleton must have the model's 17 joints, got 15"):
        network(skeleton=POSETRACK_15)
    with pytest.raises(ValueError, match="size must be a multiple of 32, got 250"):
        SinglePose(MoveNet(MoveNetArchitecture(width=0.125)), size=250)
