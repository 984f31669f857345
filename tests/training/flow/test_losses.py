"""The loss of FlowNet2-S on examples that are worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ptfast.training.flow.losses import FlowLoss, endpoint_error


class Levels(nn.Module):
    """Gives flows of five levels, all the same everywhere, in units of 20 pixels."""

    def __init__(self, x: float, y: float) -> None:
        super().__init__()
        self.flow = nn.Parameter(torch.tensor([x, y]))

    def flows(self, first: Tensor, second: Tensor) -> list[Tensor]:
        batch, _, height, width = first.shape
        return [
            self.flow[None, :, None, None].expand(batch, 2, height >> level, width >> level) for level in range(2, 7)
        ]


def test_each_level_has_its_weight_times_the_sum_of_its_pixels() -> None:
    images, flow = torch.zeros(2, 3, 64, 128), torch.tensor([60.0, 80.0]).expand(2, 64, 128, 2)
    loss = FlowLoss(Levels(0.0, 0.0))  # type: ignore[arg-type]
    found = loss(images, images, flow, torch.ones(2, 64, 128, dtype=torch.bool))
    # The error is 100 pixels, 5 units, at 16 * 32, 8 * 16, 4 * 8, 2 * 4 and 1 * 2 pixels.
    expected = [0.005 * 5 * 512, 0.01 * 5 * 128, 0.02 * 5 * 32, 0.08 * 5 * 8, 0.32 * 5 * 2]
    assert found.tolist() == pytest.approx(expected)
    right = FlowLoss(Levels(3.0, 4.0))  # type: ignore[arg-type]
    none = right(images, images, flow, torch.ones(2, 64, 128, dtype=torch.bool))
    assert none.tolist() == pytest.approx([0.0] * 5, abs=1e-4)
    none.sum().backward()
    assert right.model.flow.grad.isfinite().all()  # also where the error is 0


def test_unknown_pixels_do_not_count() -> None:
    truth = torch.zeros(1, 2, 4, 4)
    truth[0, 0] = torch.tensor([[4.0, 4, 0, 0], [4, 99, 0, 0], [7, 7, 9, 9], [7, 7, 9, 9]])
    counts = torch.ones(1, 1, 4, 4)
    counts[0, 0, 1, 1] = 0  # of the upper left cell one of four pixels
    counts[0, 0, 2:, 2:] = 0  # the lower right cell
    found = torch.tensor([[[[1.0, 0], [7, 0]], [[0, 2], [0, 5]]]])
    # |1 - 4| * 3 / 4, |(0, 2)| * 1, 0 * 1, and nothing
    assert endpoint_error(found, truth, counts).item() == pytest.approx(3 * 0.75 + 2)
    assert endpoint_error(found, truth, torch.zeros(1, 1, 4, 4)).item() == 0


def test_a_pixel_counts_as_often_as_its_weight_says() -> None:
    truth = torch.tensor([[[[8.0, 0], [0, 0]], [[0, 0], [0, 0]]]])
    counts = torch.tensor([[[[5.0, 1], [1, 1]]]])
    # The truth is 8 * 5 / 8, and the cell counts 8 / 4.
    assert endpoint_error(torch.zeros(1, 2, 1, 1), truth, counts).item() == pytest.approx(5 * 2)


def test_the_error_is_the_mean_over_the_batch() -> None:
    truth, counts = torch.zeros(2, 2, 4, 4), torch.ones(2, 1, 4, 4)
    found = torch.zeros(2, 2, 1, 1)
    found[0, 0] = 6
    assert endpoint_error(found, truth, counts).item() == pytest.approx(3)
