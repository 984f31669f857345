"""Detect-and-Track from frames to tracks, with small untrained networks: what goes where, not how well."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import open_video
from ptfast.methods import DetectAndTrack
from ptfast.methods.detect_and_track import Config
from ptfast.models import Architecture, Limits, MaskRcnn3d
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

LOW = {"min_score": 0.0, "min_joint_score": None, "precision": "float32"}  # an untrained network is sure of nothing
LIMITS = Limits(proposals_before=40, proposals_after=8, min_score=0.0, max_detections=4)


def method(frames: int = 3, **settings: object) -> DetectAndTrack:
    """A narrow network with random weights."""
    torch.manual_seed(0)
    model = MaskRcnn3d(
        Architecture(
            width=0.125,
            temporal_kernel=3 if frames > 1 else 1,
            normalisation="group",
            anchor_sizes=(16.0, 32.0),
            box_channels=8,
            box_stride=2,
            keypoint_convs=1,
            keypoint_channels=8,
        )
    )
    for layer in (model.box_predictor.bbox_pred, model.box_predictor.cls_score):
        torch.nn.init.normal_(layer.weight, std=0.3)
    config = Config(**{"frames": frames, "short_side": 64, "limits": LIMITS, **LOW, **settings})  # type: ignore[arg-type]
    return DetectAndTrack(model, config=config)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Eleven smooth pictures of 64 x 72 pixels."""
    rng = np.random.default_rng(0)
    base = [cv2.resize(rng.integers(0, 256, (8, 9, 3), np.uint8), (72, 64)) for _ in range(4)]
    return [np.ascontiguousarray(np.roll(base[i % 4], i, 1)) for i in range(11)]


def same(a: Poses, b: Poses, tolerance: float = 1e-3) -> None:
    """The same people, at the same places to a thousandth of a pixel."""
    np.testing.assert_array_equal(a.frame_offsets, b.frame_offsets)
    np.testing.assert_array_equal(a.track_ids, b.track_ids)
    np.testing.assert_allclose(a.boxes, b.boxes, atol=tolerance)
    np.testing.assert_allclose(a.keypoints, b.keypoints, atol=tolerance)
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-5)


def test_stream_gives_what_track_gives(pictures: list[np.ndarray]) -> None:
    tracker = method()
    whole, parts = tracker.track(pictures), list(tracker.stream(pictures))
    assert len(whole) == len(parts) == len(pictures)
    assert all(len(part) == 1 for part in parts)
    assert len(whole.scores) > len(pictures)
    same(whole, Poses.concatenate(parts), 0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"cost": "lstm"},
        {"cost_weights": (0.5, 0.5, 0.0)},
        {"cost_weights": (1.0, 0.0, 1.0)},
        {"cost_weights": (1.0, 0.0, 1.0), "min_area": 400.0},
        {"matcher": "greedy"},
    ],
)
def test_linking_a_whole_video_gives_what_a_stream_gives(
    pictures: list[np.ndarray], settings: dict[str, object]
) -> None:
    tracker = method(**settings)
    same(tracker.link(Poses.concatenate(list(tracker.detect(pictures)))), tracker.track(pictures), 0)


def test_appearance_decides_where_it_alone_counts(pictures: list[np.ndarray]) -> None:
    still = [pictures[0]] * 4
    poses = method(cost_weights=(0.0, 0.0, 1.0)).track(still)
    for frame in range(1, 4):
        np.testing.assert_array_equal(poses.frame(frame).track_ids, poses.frame(0).track_ids)
    with pytest.raises(ValueError, match=r"features\['appearance'\] must be there"):
        method(cost_weights=(1.0, 0.0, 1.0)).link(poses)


def test_crops_are_of_boxes_that_are_large_enough(pictures: list[np.ndarray]) -> None:
    tracker = method(cost_weights=(1.0, 0.0, 1.0), min_area=400.0)
    detections = Poses.concatenate(list(tracker.detect([*pictures[:3], None])))  # type: ignore[list-item]
    lengths = np.linalg.norm(detections.features["appearance"], axis=1)
    large = tracker.is_large(detections)
    assert large.any() and not large.all()
    np.testing.assert_allclose(lengths, large, atol=1e-5)
    assert tracker.link(detections).features == {}


def test_each_frame_is_that_of_its_own_window(pictures: list[np.ndarray]) -> None:
    whole = method(batch=4).track(pictures)
    for centre in (1, 4, 9):
        alone = method().track(pictures[centre - 1 : centre + 2])
        same(whole.frame(centre).with_track_ids(alone.frame(1).track_ids), alone.frame(1))


@pytest.mark.parametrize("batch", [1, 2, 16])
def test_batches_change_nothing(pictures: list[np.ndarray], batch: int) -> None:
    same(method(batch=batch).track(pictures), method(batch=5).track(pictures))


def test_chunks_of_a_2d_model_are_batches(pictures: list[np.ndarray]) -> None:
    same(method(1, windowing="chunked").track(pictures), method(1, windowing="dense").track(pictures))


def test_chunks_see_farther_than_windows(pictures: list[np.ndarray]) -> None:
    chunked, dense = method(windowing="chunked").track(pictures), method().track(pictures)
    assert len(chunked) == len(dense)
    assert chunked.boxes.shape != dense.boxes.shape or np.abs(chunked.boxes - dense.boxes).max() > 1e-3


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_videos(pictures: list[np.ndarray], count: int) -> None:
    assert len(method().track(pictures[:count])) == count


def test_lost_frames_have_nobody_and_ids_go_on(pictures: list[np.ndarray]) -> None:
    with pytest.warns(UserWarning):
        poses = method(lookback=2).track([*pictures[:4], None, *pictures[4:8]])  # type: ignore[list-item]
    counts = np.diff(poses.frame_offsets)
    assert len(poses) == 9 and counts[4] == 0 and (counts[[3, 5]] > 0).all()
    assert set(poses.frame(5).track_ids) & set(poses.frame(3).track_ids)


def test_a_changing_frame_size(pictures: list[np.ndarray]) -> None:
    large = [cv2.resize(picture, (144, 128)) for picture in pictures[:3]]
    poses = method().track([*pictures[:4], *large])
    assert poses.frame_size is not None
    np.testing.assert_array_equal(poses.frame_size, [[72, 64]] * 4 + [[144, 128]] * 3)
    assert poses.frame(5).boxes.max() > 73


def test_coordinates_are_the_videos(pictures: list[np.ndarray]) -> None:
    """Twice as large a video has the same people at twice the coordinates, as pixel centres are integers."""
    small = method().track(pictures[:3])
    large = method().track(
        [cv2.resize(picture, (144, 128), interpolation=cv2.INTER_NEAREST) for picture in pictures[:3]]
    )
    same(large, Poses(
        keypoints=2 * small.keypoints + 0.5, boxes=2 * small.boxes + 0.5, scores=small.scores,
        track_ids=small.track_ids, frame_offsets=small.frame_offsets, skeleton=small.skeleton,
    ), 0.01)  # fmt: skip


def test_nobody(pictures: list[np.ndarray]) -> None:
    poses = method(min_score=1.1).track(pictures)
    assert len(poses) == len(pictures) and len(poses.scores) == 0
    poses = method(limits=Limits(proposals_after=8, min_score=1.1)).track(pictures)
    assert len(poses) == len(pictures) and poses.keypoints.shape == (0, 15, 2)


def test_joint_scores(pictures: list[np.ndarray]) -> None:
    boxes, logits = method().track(pictures), method(joint_score="logit").track(pictures)
    np.testing.assert_array_equal(boxes.joint_scores, np.broadcast_to(boxes.scores[:, None], boxes.joint_scores.shape))
    assert np.unique(logits.joint_scores).size > len(logits.scores)
    limit = float(np.median(logits.joint_scores))
    strict = method(joint_score="logit", min_joint_score=limit).track(pictures)
    assert (strict.joint_scores[strict.joint_visibility > 0] >= limit).all()


def test_the_released_codes_boxes_are_a_pixel_wider(pictures: list[np.ndarray]) -> None:
    ours, caffe2 = method(decode="quarter").track(pictures), method(decode="quarter", caffe2=True).track(pictures)
    np.testing.assert_array_equal(ours.boxes, caffe2.boxes)
    share = (ours.keypoints - ours.boxes[:, None, :2]) / (ours.boxes[:, None, 2:] - ours.boxes[:, None, :2])
    np.testing.assert_allclose(caffe2.keypoints, ours.keypoints + share, atol=1e-3)


@pytest.mark.parametrize("decode", ["quarter", "bicubic"])
def test_a_peak_is_found_where_it_is(decode: str) -> None:
    box, rng = np.array([10.0, 20.0, 66.0, 132.0]), np.random.default_rng(0)
    place = rng.uniform(8, 48, (15, 2))  # heatmap pixels
    x, y = np.meshgrid(np.arange(56), np.arange(56))
    far = (x - place[:, 0, None, None]) ** 2 + (y - place[:, 1, None, None]) ** 2
    heatmaps = torch.from_numpy(5 * np.exp(-far / 8).astype(np.float32))[None]
    found, logits = method(decode=decode).detector.decode(heatmaps, torch.from_numpy(box[None].astype(np.float32)))
    wanted = box[:2] + (place + 0.5) * (box[2:] - box[:2]) / 56
    assert np.abs(found[0].numpy() - wanted).max() < 1.2
    np.testing.assert_allclose(logits.numpy(), 5, atol=0.6)


def test_videos_from_files_and_folders(pictures: list[np.ndarray], tmp_path: Path) -> None:
    for index, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture[..., ::-1])
    poses = method().track(tmp_path)
    same(poses, method().track(pictures))
    assert poses.frame_names is not None and poses.frame_names[:2] == ("0.png", "1.png")
    same(method().track(open_video(tmp_path)), poses)


def test_memory_does_not_grow_with_the_video(pictures: list[np.ndarray]) -> None:
    tracker = method(batch=2)

    def frames(count: int) -> Iterator[np.ndarray]:
        return (pictures[index % len(pictures)] for index in range(count))

    for _ in tracker.stream(frames(60)):
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = sum(1 for _ in tracker.stream(frames(300)))
    assert count == 300
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 * 1024
    )  # KiB; the network's input alone would be 15 MiB


def test_a_wrong_skeleton_or_setting_is_named() -> None:
    with pytest.raises(ValueError, match="skeleton must have the model's 15 joints, got 17"):
        DetectAndTrack(method().model, COCO_17)
    with pytest.raises(ValueError, match="frames must be odd and positive, got 2"):
        Config(frames=2)
    with pytest.raises(ValueError, match="windowing must be one of"):
        Config(windowing="sparse")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="expected at least one frame, found none"):
        method().track([])
