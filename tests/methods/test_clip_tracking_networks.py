"""Clip tracking's networks: by name, by file with a card, and functions of the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.methods.clip_tracking import ClipTracking, Config, Merging
from ptfast.models import Hrnet, HrnetArchitecture, save_weights
from ptfast.pipeline import MaskRcnn, NanoDetBoxes, SinglePose, each_batch, each_image
from ptfast.pipeline.weights import settings_for
from ptfast.skeletons import COCO_17, POSETRACK_15


def narrow() -> Hrnet:
    """A narrow single-frame network with random weights."""
    return Hrnet(HrnetArchitecture(width=8, joints=15, stem=8, stem_blocks=1, modules=(1,), blocks=1))


def marks(frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """COCO's joints in a column down the middle of each box, 3 pixels further to the right in each frame."""
    assert all(frame.image is not None for frame in frames)
    numbers = np.array([frame.index for frame in frames])[index]  # (M, T)
    left, top, right, bottom = boxes.T[:, :, None, None]
    keypoints = np.zeros((*index.shape, 17, 2), np.float32)
    keypoints[..., 0] = (left + right) / 2 + 3 * numbers[..., None]
    keypoints[..., 1] = top + (bottom - top) * np.linspace(0, 1, 17)
    return keypoints, np.full((*index.shape, 17), 0.5, np.float32)


@pytest.mark.filterwarnings("ignore:.*could not be decoded")
def test_any_function_of_people_and_any_joints_will_do() -> None:
    """A person in every second frame, whose box stands still as the joints move; a frame is lost."""
    box = np.array([[10, 5, 50, 105]], np.float32)
    config = Config(frames=5, step=2, merging=Merging(min_area=0.0, min_length=2, joint_thresholds=(0.4,) * 17))
    detector = each_batch(lambda images: [(box, np.ones(1))] * len(images))
    pictures: list[np.ndarray | None] = [np.zeros((8, 8, 3), np.uint8)] * 20
    pictures[12] = None
    tracks = ClipTracking(marks, detector, skeleton=COCO_17, config=config).track(pictures)  # type: ignore[arg-type]
    assert tracks.skeleton == COCO_17 and np.diff(tracks.frame_offsets).tolist() == [1] * 12 + [0] + [1] * 7
    assert len({*tracks.track_ids.tolist()}) == 2  # before and after the lost frame
    there = np.delete(np.arange(20), 12)
    np.testing.assert_allclose(tracks.keypoints[:, 0], np.stack([30 + 3 * there, np.full(19, 5)], 1), atol=1e-4)
    np.testing.assert_allclose(tracks.scores, 0.5, atol=1e-6)
    with pytest.raises(ValueError, match="keypoints must have shape"):
        ClipTracking(marks, detector).track(pictures[:3])  # type: ignore[arg-type]


def test_networks_by_name_have_the_thresholds_of_their_cards() -> None:
    """Joints' of the pose network's card, boxes' of the detector's, unless the pose network's knows better."""
    cards = {name: settings_for(name) for name in ("movenet-thunder", "movenet-multipose", "nanodet-g")}
    method = ClipTracking.load("movenet-thunder", step=3)
    assert isinstance(method.network, SinglePose) and isinstance(method.detector, NanoDetBoxes)
    assert (method.skeleton, method.config.step, method.config.frames) == (COCO_17, 3, 9)
    assert method.config.min_box_score == cards["nanodet-g"]["min_score"]
    assert method.config.merging == Merging(joint_thresholds=cards["movenet-thunder"]["min_joint_score"])
    other = ClipTracking.load(
        "movenet-thunder", detector="movenet-multipose", merging={"joint_thresholds": 0.3, "min_length": 2}
    )
    assert other.config.min_box_score == cards["movenet-multipose"]["min_new_score"]
    assert other.config.merging == Merging(joint_thresholds=0.3, min_length=2)
    assert ClipTracking.load("movenet-thunder", min_box_score=0.7).config.min_box_score == 0.7
    drawn = ClipTracking.load("clip-tracking", detector="nanodet-g")
    assert drawn.config.min_box_score == settings_for("clip-tracking")["min_box_score"]
    assert isinstance(ClipTracking.load("clip-tracking-2d").detector, MaskRcnn)


def test_settings_of_other_networks_are_refused() -> None:
    for given in ({"size": (256, 192)}, {"flip": False}, {"precision": "float32"}):
        message = f"{next(iter(given))} may be given for HRNets and PoseResNets alone, got movenet-thunder"
        with pytest.raises(ValueError, match=message):
            ClipTracking.load("movenet-thunder", **given)
    with pytest.raises(ValueError, match="skeleton: expected 'posetrack_15', found 'coco_17'"):
        ClipTracking.load("movenet-thunder", skeleton=POSETRACK_15)


def test_settings_come_from_the_card_and_give_way(tmp_path: Path) -> None:
    card = {
        "skeleton": "posetrack_15",
        "data": "",
        "command": "",
        "seed": 0,
        "score": {},
        "frames": 5,
        "size": [96, 64],
    }
    merging = {"radius": 0.7, "min_length": 3, "joint_thresholds": [0.1] * 15}
    settings = {"step": 2, "flip": False, "merging": merging}
    save_weights(narrow(), tmp_path / "own.safetensors", {**card, "settings": settings})

    def load(**given: Any) -> ClipTracking:
        return ClipTracking.load(tmp_path / "own.safetensors", detector=each_image(lambda _: ([], [])), **given)

    method = load(step=3, merging={"min_length": 1})
    assert method.network.size == (96, 64) and method.skeleton == POSETRACK_15
    assert (method.config.frames, method.config.step, method.network.flip) == (5, 3, False)
    assert load(flip=True, refine="taylor").network.depends_on() == method.network.depends_on() | {
        "flip": True,
        "refine": "taylor",
    }
    assert method.config.merging == Merging(radius=0.7, min_length=1, joint_thresholds=(0.1,) * 15)
    assert load().config.merging.min_length == 3
    assert load(merging=Merging(min_length=2)).config.merging == Merging(min_length=2)
