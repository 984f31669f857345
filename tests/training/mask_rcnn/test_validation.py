"""Validation of networks in training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ptfast.io import write_poses
from ptfast.methods.detect_and_track import Config as Tracking
from ptfast.models import MaskRcnn3d
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import render
from ptfast.synthetic.splits import TEST_SEEDS, VALIDATION_SEEDS
from ptfast.training.data.annotated_sequences import read_sequences
from ptfast.training.mask_rcnn import MaskRcnnConfig, validation
from ptfast.training.mask_rcnn.validation import scores, validate, validate_annotated

SETTINGS = Tracking(frames=3, short_side=64, min_score=0.0, precision="float32")


def test_a_network_tracks_synthetic_videos(tiny: MaskRcnnConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds, films = [], validation.random_film
    monkeypatch.setattr(
        validation, "random_film", lambda seed, frames, size: seeds.append(seed) or films(seed, frames, size)
    )
    model = MaskRcnn3d(tiny.architecture)
    figures = validate(model, 2, SETTINGS, frames=4)
    assert set(figures) == {"mAP", "MOTA"} and all(np.isfinite(value) for value in figures.values())
    assert seeds == [VALIDATION_SEEDS, VALIDATION_SEEDS + 1] and max(seeds) < TEST_SEEDS
    assert not model.training


class Perfect:
    """Stands in for the method: finds what is annotated."""

    def __init__(self, truth: list[Poses]) -> None:
        self.truth = iter(truth)

    def track(self, frames: object) -> Poses:
        assert all(image.shape == (64, 64, 3) for image in frames)  # type: ignore[attr-defined]
        return next(self.truth)


def test_the_truth_has_full_marks(tiny: MaskRcnnConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = render(3, frames=4, people=2, size=(64, 64))
    assert scores({"a": film.poses}, {"a": film.poses}) == {"mAP": 100.0, "MOTA": 100.0}
    folder = tmp_path / "annotations" / "val"
    folder.mkdir(parents=True)
    write_poses(film.poses, folder / "video.json")
    sequence = next(read_sequences_of(film, tmp_path))
    monkeypatch.setattr(validation, "DetectAndTrack", lambda *_: Perfect([sequence.poses]))
    figures = validate_annotated(MaskRcnn3d(tiny.architecture), [sequence], SETTINGS, POSETRACK_15)
    assert figures == {"mAP": 100.0, "MOTA": 100.0}


def read_sequences_of(film: object, folder: Path):  # type: ignore[no-untyped-def]
    """The film's sequence out of the folder, once its images are there."""
    from ptfast.io import read_poses

    poses = read_poses(folder / "annotations" / "val" / "video.json")
    assert isinstance(poses, Poses) and poses.frame_names is not None
    for name, image in zip(poses.frame_names, film, strict=True):  # type: ignore[call-overload]
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), image)
    return read_sequences(folder, POSETRACK_15, None, "val")
