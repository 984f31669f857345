"""Ways to choose MultiPose's sizes (benchmarks/ways_to_look.py), with a narrow untrained network."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from ways_to_look import RememberedLooks, Way, fixed

from ptfast.models import MoveNet, MoveNetArchitecture
from ptfast.pipeline import MultiPose, MultiPoseSettings, one_shot


@pytest.fixture(scope="module")
def model() -> MoveNet:
    """Finds people everywhere, with boxes of 40 pixels or so: too small ever to be enough."""
    torch.manual_seed(0)
    model = MoveNet(MoveNetArchitecture(width=0.125))
    torch.nn.init.constant_(model.heads["box_scale"].out.bias, 10)
    return model


@pytest.fixture
def image() -> np.ndarray:
    """A smooth image of 90 x 120 pixels."""
    return cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8), (120, 90))


SIZES = {"LONG_SIDES": (48, 64), "ENOUGH_MORE": 1}  # and the image's own


@pytest.mark.parametrize(
    ("way", "sides"),
    [
        (Way("", constants=SIZES), [48, 64, 120]),
        (Way("", constants=SIZES | {"LARGEST": 96}), [48, 64, 96]),
        (Way("", constants=SIZES | {"ENOUGH_MORE": np.inf}), [48, 64]),
        (Way("", constants=SIZES | {"SMALL": 0}), [48]),
        (fixed(96)[0], [96]),
    ],
)
def test_a_way_looks_at_its_sizes_and_leaves_the_rule_as_it_was(
    model: MoveNet, image: np.ndarray, way: Way, sides: list[int]
) -> None:
    before = one_shot.LONG_SIDES, one_shot.LARGEST, one_shot.ENOUGH_MORE, one_shot.SMALL
    estimator = RememberedLooks(model)
    estimator.by(way, image)
    assert list(estimator.looks) == sides
    assert before == (one_shot.LONG_SIDES, one_shot.LARGEST, one_shot.ENOUGH_MORE, one_shot.SMALL)


def test_looks_that_are_remembered_give_and_cost_what_they_did(model: MoveNet, image: np.ndarray) -> None:
    estimator = RememberedLooks(model)
    estimator.by(Way(""), image)
    estimator.looks = {side: (found, 100.0) for side, (found, _) in estimator.looks.items()}
    expected = MultiPose(model, settings=MultiPoseSettings(min_oks=0.9))(image[None])
    poses, seconds = estimator.by(Way("", MultiPoseSettings(min_oks=0.9)), image)
    np.testing.assert_array_equal(poses.keypoints, expected.keypoints)
    np.testing.assert_array_equal(poses.scores, expected.scores)
    assert len(poses.scores) > 1 and 200 < seconds < 210
    assert 100 < estimator.by(fixed(256)[0], image)[1] < 110
    estimator.forget()
    assert estimator.by(fixed(256)[0], image)[1] < 50
