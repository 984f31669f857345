"""Validation of pose networks in training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ptfast.io import write_poses
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses, head_sizes, joint_boxes
from ptfast.synthetic import render
from ptfast.synthetic.splits import TEST_SEEDS, VALIDATION_SEEDS
from ptfast.training.data.annotated_sequences import read_sequences
from ptfast.training.pose import HrnetConfig, pose_network, validation
from ptfast.training.pose.validation import figures, followed, score, validate_pose, validate_pose_annotated

FILM = render(3, frames=16, people=3, size=(64, 64))


def stand_in(monkeypatch: pytest.MonkeyPatch, shift: float = 0.0, first: int = 0) -> None:
    """Has networks find FILM's joints, moved by a share of the head size from a frame of the clip on."""

    def estimate(model: object, frames: torch.Tensor, boxes: np.ndarray, index: np.ndarray, **_: object) -> tuple:
        rows = followed(FILM.poses, range(8 - len(frames) // 2, 8 + len(frames) // 2 + 1))
        found = FILM.poses.keypoints[rows].copy()
        found[:, first:, :, 0] += (shift * head_sizes(FILM.poses)[rows][:, first:, None]).astype(np.float32)
        return found, np.ones(found.shape[:3], np.float32)

    monkeypatch.setattr(validation, "estimate_tubes", estimate)


def shown(length: int) -> list:
    """FILM's clip about frame 8."""
    frames = range(8 - length // 2, 8 + length // 2 + 1)
    return [(np.zeros((length, 64, 64, 3), np.uint8), FILM.poses, frames)]


def test_a_network_is_asked_about_synthetic_videos(tiny_pose: HrnetConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds, films = [], validation.random_film
    monkeypatch.setattr(
        validation, "random_film", lambda seed, frames, size: seeds.append(seed) or films(seed, frames, size)
    )
    model = pose_network(tiny_pose).eval()
    found = validate_pose(model, replace(tiny_pose, validation_videos=2))
    assert set(found) == {"pck", "pck_centre", "pck_ends"} and all(0 <= value <= 100 for value in found.values())
    assert seeds == [VALIDATION_SEEDS, VALIDATION_SEEDS + 1] and max(seeds) < TEST_SEEDS
    flat = replace(tiny_pose, frames=1, validation_videos=1, mixed_precision=True)
    assert set(validate_pose(model, flat)) == {"pck"}


def test_the_first_and_the_last_clip_of_a_film_are_shown(tiny_pose: HrnetConfig) -> None:
    found = [frames for _, _, frames in validation.synthetic_clips(tiny_pose)]
    assert found == [range(3), range(13, 16)]


def test_the_network_is_given_dilated_boxes_and_nothing_is_mirrored(
    tiny_pose: HrnetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch)
    asked, found = [], validation.estimate_tubes

    def estimate(model: object, frames: torch.Tensor, boxes: np.ndarray, index: np.ndarray, **options: object) -> tuple:
        asked.append((boxes, options))
        return found(model, frames, boxes, index)  # type: ignore[arg-type, call-arg]

    monkeypatch.setattr(validation, "estimate_tubes", estimate)
    score(pose_network(tiny_pose), shown(3), tiny_pose, POSETRACK_15)
    ((boxes, options),) = asked
    people = FILM.poses.frame(8)
    spans = joint_boxes(people.keypoints, people.joint_visibility)
    low, high = spans[:, :2], spans[:, 2:]
    np.testing.assert_allclose(boxes, np.concatenate([1.1 * low - 0.1 * high, 1.1 * high - 0.1 * low], 1), atol=1e-3)
    assert options["size"] == tiny_pose.size and options["flip"] is False


def test_nobody_is_asked_for_where_they_are_not(tiny_pose: HrnetConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who is in the clip's middle but not in its first frame."""
    stand_in(monkeypatch)
    kept = np.ones(len(FILM.poses.scores), bool)
    kept[FILM.poses.frame_offsets[7]] = False
    clip = [(images, FILM.poses.select(kept), frames) for images, _, frames in shown(3)]
    assert score(pose_network(tiny_pose), clip, tiny_pose, POSETRACK_15)["pck_ends"] == 100


@pytest.mark.parametrize(("shift", "share"), [(0.0, 100.0), (0.49, 100.0), (0.51, 0.0)])
def test_within_half_a_head_is_right(
    tiny_pose: HrnetConfig, monkeypatch: pytest.MonkeyPatch, shift: float, share: float
) -> None:
    stand_in(monkeypatch, shift)
    found = score(pose_network(tiny_pose), shown(3), tiny_pose, POSETRACK_15)
    assert found == {"pck": share, "pck_centre": share, "pck_ends": share}


def test_middle_and_ends_are_told_apart(tiny_pose: HrnetConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, 2.0, first=2)  # the last of three frames
    found = score(pose_network(tiny_pose), shown(3), tiny_pose, POSETRACK_15)
    assert found["pck_centre"] == 100 and 40 < found["pck_ends"] < 60 < found["pck"] < 75


def test_shares() -> None:
    assert figures(np.array([1.0, 2, 3]), np.array([2.0, 2, 4])) == {
        "pck": 75.0,
        "pck_centre": 100.0,
        "pck_ends": 66.667,
    }
    assert figures(np.zeros(1), np.zeros(1)) == {"pck": 0.0}


def test_people_are_followed_by_their_ids() -> None:
    poses = Poses(
        keypoints=np.tile(np.arange(15, dtype=np.float32)[:, None], (7, 1, 2)),
        track_ids=np.array([4, 2, 2, 9, 4, 2, 7]),
        frame_offsets=np.array([0, 2, 5, 5, 7]),
        skeleton=POSETRACK_15,
    )
    np.testing.assert_array_equal(followed(poses, [0, 1, 2]), [[1, 2, -1], [-1, 3, -1], [0, 4, -1]])
    np.testing.assert_array_equal(followed(poses, [1, 3, 1]), [[2, 5, 2], [-1, 6, -1]])
    assert followed(poses, [0, 2, 3]).shape == (0, 3)


def test_annotated_videos(tiny_pose: HrnetConfig, tmp_path: Path) -> None:
    folder = tmp_path / "annotations" / "val"
    folder.mkdir(parents=True)
    write_poses(FILM.poses, folder / "video.json")
    for name, image in zip(FILM.poses.frame_names, FILM, strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), image)
    sequences = list(read_sequences(tmp_path, POSETRACK_15, None, "val"))
    clips = list(validation.annotated_clips(sequences, 3))
    assert [list(frames) for _, _, frames in clips] == [[3 * i, 3 * i + 1, 3 * i + 2] for i in range(5)]
    found = validate_pose_annotated(pose_network(tiny_pose).eval(), sequences, tiny_pose, POSETRACK_15)
    assert set(found) == {"pck", "pck_centre", "pck_ends"}
    images = [replace(sequence, is_video=False) for sequence in sequences]
    assert list(next(validation.annotated_clips(images, 3))[2]) == [0, 0, 0]
