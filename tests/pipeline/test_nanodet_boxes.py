"""NanoDet as a person detector, with the shipped network on pictures of a few pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.ops import iou_matrix
from ptfast.pipeline import NanoDetBoxes, NanoDetSettings
from ptfast.pipeline.weights import load_nanodet_weights


def frames() -> list[Frame]:
    rng = np.random.default_rng(0)
    pictures = [cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (96, 72)) for _ in range(3)]
    return [Frame(picture, "", place) for place, picture in enumerate(pictures)]


def detector(**settings: object) -> NanoDetBoxes:
    return NanoDetBoxes(load_nanodet_weights("nanodet-g"), NanoDetSettings(min_score=0.01, **settings))  # type: ignore[arg-type]


def test_both_sizes_find_what_each_finds_and_nobody_twice() -> None:
    all_ = {"max_overlap": 1.0, "max_people": 20_000}
    apart = [detector(long_side=side, **all_)(frames(), [0, 2]) for side in (320, 640)]
    everyone = detector(**all_)(frames(), [0, 2])
    for place in range(2):
        scores = np.sort(np.concatenate([look[place][1] for look in apart]))[::-1]
        assert len(scores) > 0
        np.testing.assert_allclose(everyone[place][1], scores, atol=1e-5)
    for boxes, scores in detector(max_overlap=0.3, max_people=5)(frames(), [0, 2]):
        assert len(boxes) <= 5 and (np.diff(scores) <= 0).all()
        assert (iou_matrix(boxes, boxes) - np.eye(len(boxes))).max(initial=0) <= 0.3 + 1e-6


def test_key_frames_together_are_as_each_by_itself() -> None:
    find = detector(long_side=96)
    assert find(frames(), []) == []
    for (boxes, scores), key in zip(find(frames(), [0, 1, 2]), range(3), strict=True):
        alone = find(frames(), [key])[0]
        np.testing.assert_allclose(boxes, alone[0], atol=1e-2)
        np.testing.assert_allclose(scores, alone[1], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"), [("long_side", 31), ("max_people", 0), ("min_score", 2), ("max_overlap", -1)]
)
def test_settings_out_of_range_are_named(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        NanoDetSettings(**{name: value})  # type: ignore[arg-type]
