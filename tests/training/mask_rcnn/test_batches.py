"""Batches of clips as tensors."""

from __future__ import annotations

import numpy as np
import torch

from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.training.data.clips import Clip
from ptfast.training.mask_rcnn.batches import tensors


def clip_of(height: int, width: int, ignored: bool = False) -> Clip:
    frames = np.full((2, height, width, 3), 100, np.uint8)
    mask = np.ones((2, height, width), bool) if ignored else None
    return Clip(
        frames, np.ones((1, 2, 4), np.float32), np.ones((1, 2), bool), np.ones((1, 2, 15, 2), np.float32),
        np.ones((1, 2, 15), bool), mask,
    )  # fmt: skip


def test_clips_of_different_sizes_are_padded_with_zeros() -> None:
    images, targets = tensors([clip_of(10, 7), clip_of(6, 17, True)], 8, torch.device("cpu"))
    assert images.shape == (2, 3, 2, 16, 24)
    value = (100 / 255 - np.array(IMAGE_MEAN)) / np.array(IMAGE_STD)
    np.testing.assert_allclose(images[0, :, 1, 9, 6], value, rtol=1e-5)
    assert not images[0, :, :, 10:].any() and not images[0, :, :, :, 7:].any() and not images[1, :, :, 6:].any()
    assert targets[0].ignored is None and targets[1].ignored is not None
    assert targets[1].ignored.shape == (2, 6, 17) and targets[0].labelled.dtype == torch.bool


def test_the_networks_own_mean_is_subtracted() -> None:
    images, _ = tensors([clip_of(8, 8)], 8, torch.device("cpu"), (100 / 255, 0.0, 0.0))
    assert abs(float(images[0, 0, 0, 0, 0])) < 1e-6 and images[0, 1, 0, 0, 0] > 1
