"""Boxes of Detect-and-Track's network for the methods that want boxes first: those that it finds by itself."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import Frame
from ptfast.methods import ClipTracking, DetectAndTrack
from ptfast.methods.clip_tracking import Config, Merging
from ptfast.methods.detect_and_track import Config as DetectorConfig
from ptfast.models import Architecture, Hrnet, HrnetArchitecture, Limits, MaskRcnn3d
from ptfast.pipeline import TubePoses
from ptfast.pipeline.detectors import each_batch, each_image, given_boxes
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses


@lru_cache
def method(frames: int) -> DetectAndTrack:
    """A narrow network with random weights."""
    torch.manual_seed(0)
    model = MaskRcnn3d(
        Architecture(
            width=0.125, temporal_kernel=3 if frames > 1 else 1, normalisation="group", anchor_sizes=(16.0, 32.0),
            box_channels=8, box_stride=2, keypoint_convs=1, keypoint_channels=8,
        )
    )  # fmt: skip
    for layer in (model.box_predictor.bbox_pred, model.box_predictor.cls_score):
        torch.nn.init.normal_(layer.weight, std=0.3)
    limits = Limits(proposals_before=40, proposals_after=8, min_score=0.0, max_detections=4)
    return DetectAndTrack(
        model, config=DetectorConfig(frames=frames, batch=2, short_side=64, limits=limits, precision="float32")
    )


def smooth(rng: np.random.Generator) -> np.ndarray:
    return cv2.resize(rng.integers(0, 256, (8, 9, 3), np.uint8), (72, 64))


PICTURES = [smooth(np.random.default_rng(seed)) for seed in range(9)]
SHOWN = [Frame(picture, f"{index}.jpg", index) for index, picture in enumerate(PICTURES)]


@lru_cache
def own_boxes(frames: int) -> list[Poses]:
    """What Detect-and-Track finds in the pictures."""
    return list(method(frames).detect(PICTURES))


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("keys", [[*range(9)], [0, 4, 8], [1, 2, 3, 7]])
def test_boxes_are_those_of_detect_and_track(frames: int, keys: list[int]) -> None:
    own, found = own_boxes(frames), method(frames).detector(SHOWN, keys)
    for key, (boxes, scores) in zip(keys, found, strict=True):
        assert len(scores)
        np.testing.assert_allclose(boxes, own[key].boxes, atol=1e-3)
        np.testing.assert_allclose(scores, own[key].scores, atol=1e-5)


@pytest.mark.parametrize("count", [1, 4])
def test_shots_that_are_shorter_than_a_window(count: int) -> None:
    own = list(method(5).detect(PICTURES[:count]))
    for (boxes, _), poses in zip(method(5).detector(SHOWN[:count], range(count)), own, strict=True):
        assert len(boxes)
        np.testing.assert_allclose(boxes, poses.boxes, atol=1e-3)


@pytest.mark.parametrize(("frames", "keys", "runs"), [(3, [*range(9)], 5), (1, [0, 3, 6, 8], 2)])
def test_the_network_sees_a_batch_at_a_time(frames: int, keys: list[int], runs: int) -> None:
    """A network of single frames sees key frames far apart together."""
    sizes: list[int] = []
    hook = method(frames).model.body.register_forward_pre_hook(lambda _, clips: sizes.append(len(clips[0])))
    method(frames).detector(SHOWN, keys)
    hook.remove()
    assert len(sizes) == runs and max(sizes) == 2


@pytest.mark.parametrize(("frames", "batch"), [(1, 1), (1, 4), (3, 2), (5, 1)])
def test_clip_tracking_shows_the_detector_as_many_frames_as_it_needs(frames: int, batch: int) -> None:
    """Whatever the clips' length and however many there are at a time."""
    pose = Hrnet(HrnetArchitecture(width=4, joints=15, stem=4, stem_blocks=1, modules=(1,), blocks=1))
    config = Config(frames=frames, batch=batch, min_box_score=None, merging=Merging(min_length=1))
    found = ClipTracking(TubePoses(pose, (16, 16), flip=False), method(3).detector, config=config).detect(PICTURES)
    for hypotheses, own in zip(found, own_boxes(3), strict=True):
        np.testing.assert_allclose(hypotheses.tracklets.boxes, own.boxes, atol=1e-3)


def test_boxes_without_area_are_given_on_and_inverted_ones_refused() -> None:
    boxes = np.array([[1, 2, 3, 4], [5, 5, 5, 9], [5, 5, 9, 5]], np.float32)
    frames = SHOWN[:1]
    ((kept, scores),) = each_image(lambda _: (boxes, [0.1, 0.2, 0.3]))(frames, [0])
    assert kept.tolist() == boxes.tolist() and scores.tolist() == np.float32([0.1, 0.2, 0.3]).tolist()
    with pytest.raises(ValueError, match=r"x2 >= x1 and y2 >= y1, got \[5.0, 9.0, 6.0, 5.0\]"):
        each_image(lambda _: ([[5, 9, 6, 5]], [0.5]))(frames, [0])


def brightest(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A box about the brightest pixel, with its brightness for a score."""
    value = image.sum(-1)
    y, x = np.unravel_index(value.argmax(), value.shape)
    return np.array([[x - 1, y - 1, x + 1, y + 1]]), np.array([value.max() / 765])


def test_a_function_of_a_list_sees_the_key_frames_together() -> None:
    seen: list[int] = []

    def detect(images: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        seen.append(len(images))
        return [brightest(image) for image in images]

    keys = [0, 3, 8]
    for together, alone in zip(each_batch(detect)(SHOWN, keys), each_image(brightest)(SHOWN, keys), strict=True):
        assert together[0].tolist() == alone[0].tolist() and together[1].tolist() == alone[1].tolist()
        assert together[0].dtype == together[1].dtype == np.float32
    assert each_batch(detect)(SHOWN, []) == [] and seen == [3]


def test_a_function_of_a_list_gives_boxes_of_each_image() -> None:
    with pytest.raises(ValueError, match="function must give boxes for each of 3 images, got 2"):
        each_batch(lambda images: [brightest(image) for image in images[1:]])(SHOWN, [0, 1, 2])
    with pytest.raises(ValueError, match=r"boxes must have shape \(N, 4\), got \(1, 5\)"):
        each_batch(lambda images: [(np.zeros((1, 5)), np.zeros(1))])(SHOWN, [0])


def test_sparse_boxes_are_those_of_mots_numbers() -> None:
    poses = Poses(np.zeros((2, 15, 2)), [0, 1, 2], POSETRACK_15, boxes=[[0, 0, 1, 1], [0, 0, 4, 4]], frame_ids=[2, 4])
    found = given_boxes(poses, sparse=True)(SHOWN[1:4], [0, 1, 2])
    assert [boxes[:, 2].tolist() for boxes, _ in found] == [[1], [], [4]]


def test_given_boxes_are_taken_by_the_frames_numbers() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]], np.float32)
    poses = Poses(np.zeros((3, 15, 2)), np.array([0, 1, 1, 3]), POSETRACK_15, boxes=boxes, scores=[0.1, 0.2, 0.3])
    found = given_boxes(poses, sparse=True)(SHOWN[1:4], [0, 1, 2])
    assert [boxes[:, 2].tolist() for boxes, _ in found] == [[], [2, 3], []]
    np.testing.assert_allclose(found[1][1], [0.2, 0.3])
    with pytest.raises(ValueError, match="poses must have boxes for every frame of the video, got 3 frames"):
        given_boxes(poses)(SHOWN, [3])
