"""Which clips a step takes, and batches as tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ptfast.models.images import IMAGE_MEAN, IMAGE_STD
from ptfast.training.batches import Steps, loader, tensors
from ptfast.training.clips import Clip


def test_steps_share_the_clips_out() -> None:
    assert list(Steps(2, 4, 3)) == [[6, 7, 8], [9, 10, 11]]
    halves = [list(Steps(1, 3, 4, rank, 2)) for rank in range(2)]
    assert halves == [[[4, 6], [8, 10]], [[5, 7], [9, 11]]]
    assert len(Steps(2, 4, 3)) == 2 and len(Steps(4, 4, 3)) == 0


def test_a_batch_that_cannot_be_shared_evenly_is_an_error() -> None:
    with pytest.raises(ValueError, match="batch must be a multiple of the 2 processes, got 3"):
        Steps(0, 1, 3, 0, 2)


def clip_of(height: int, width: int, ignored: bool = False) -> Clip:
    frames = np.full((2, height, width, 3), 100, np.uint8)
    mask = np.ones((2, height, width), bool) if ignored else None
    return Clip(
        frames, np.ones((1, 2, 4), np.float32), np.ones((1, 2), bool), np.ones((1, 2, 15, 2), np.float32),
        np.ones((1, 2, 15), bool), mask,
    )  # fmt: skip


def test_clips_of_different_sizes_are_padded_with_zeros() -> None:
    pictures, targets = tensors([clip_of(10, 7), clip_of(6, 17, True)], 8, torch.device("cpu"))
    assert pictures.shape == (2, 3, 2, 16, 24)
    value = (100 / 255 - np.array(IMAGE_MEAN)) / np.array(IMAGE_STD)
    np.testing.assert_allclose(pictures[0, :, 1, 9, 6], value, rtol=1e-5)
    assert not pictures[0, :, :, 10:].any() and not pictures[0, :, :, :, 7:].any() and not pictures[1, :, :, 6:].any()
    assert targets[0].ignored is None and targets[1].ignored is not None
    assert targets[1].ignored.shape == (2, 6, 17) and targets[0].labelled.dtype == torch.bool


def test_the_networks_own_mean_is_subtracted() -> None:
    pictures, _ = tensors([clip_of(8, 8)], 8, torch.device("cpu"), (100 / 255, 0.0, 0.0))
    assert abs(float(pictures[0, 0, 0, 0, 0])) < 1e-6 and pictures[0, 1, 0, 0, 0] > 1


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_keeps_the_order(workers: int) -> None:
    class Numbers(torch.utils.data.Dataset):
        def __getitem__(self, index: int) -> int:
            return index

    assert list(loader(Numbers(), Steps(1, 4, 2), workers)) == [[2, 3], [4, 5], [6, 7]]
