"""The examples of a step, and their order."""

from __future__ import annotations

import pytest
import torch

from ptfast.training.data.batches import Steps, loader


def test_steps_share_the_clips_out() -> None:
    assert list(Steps(2, 4, 3)) == [[6, 7, 8], [9, 10, 11]]
    halves = [list(Steps(1, 3, 4, rank, 2)) for rank in range(2)]
    assert halves == [[[4, 6], [8, 10]], [[5, 7], [9, 11]]]
    assert len(Steps(2, 4, 3)) == 2 and len(Steps(4, 4, 3)) == 0


def test_a_batch_that_cannot_be_shared_evenly_is_an_error() -> None:
    with pytest.raises(ValueError, match="batch must be a multiple of the 2 processes, got 3"):
        Steps(0, 1, 3, 0, 2)


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_keeps_the_order(workers: int) -> None:
    class Numbers(torch.utils.data.Dataset):
        def __getitem__(self, index: int) -> int:
            return index

    assert list(loader(Numbers(), Steps(1, 4, 2), workers)) == [[2, 3], [4, 5], [6, 7]]
