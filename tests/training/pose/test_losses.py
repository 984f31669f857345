"""Heatmap targets and the loss of pose networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ptfast.training.pose.losses import PoseLoss, heatmap_targets

HEIGHT, WIDTH = 16, 12


def published(x: float, y: float, sigma: int) -> tuple[np.ndarray, bool]:
    """A joint's target and whether it counts, pixel by pixel, as HRNet's code has it."""
    target = np.zeros((HEIGHT, WIDTH), np.float32)
    column, row, reach = int(x + 0.5), int(y + 0.5), 3 * sigma
    if column - reach >= WIDTH or row - reach >= HEIGHT or column + reach < 0 or row + reach < 0:
        return target, False
    for j in range(max(0, column - reach), min(WIDTH, column + reach + 1)):
        for i in range(max(0, row - reach), min(HEIGHT, row + reach + 1)):
            target[i, j] = math.exp(-((j - column) ** 2 + (i - row) ** 2) / (2 * sigma**2))
    return target, True


class Still(nn.Module):
    """Gives the same heatmaps whatever it sees."""

    def __init__(self, heatmaps: Tensor) -> None:
        super().__init__()
        self.heatmaps = nn.Parameter(heatmaps)

    def forward(self, crops: Tensor) -> Tensor:
        return self.heatmaps[: len(crops)]


def question(seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Crops of 64x48, joints in and about them, which are labelled, and which are known."""
    rng = np.random.default_rng(seed)
    keypoints = torch.from_numpy(rng.uniform(-30, 90, (4, 3, 5, 2)).astype(np.float32))
    labelled, known = (torch.from_numpy(rng.random((4, 3, 5)) < share) for share in (0.7, 0.8))
    return torch.zeros(4, 3, 3, 64, 48), keypoints, labelled, known | labelled


@pytest.mark.parametrize("sigma", [1, 2, 3])
def test_targets_are_the_published_ones(sigma: int) -> None:
    _, keypoints, labelled, _ = question(sigma)
    found = heatmap_targets(keypoints / 4, labelled, (HEIGHT, WIDTH), sigma)
    assert found.shape == (4, 5, 3, HEIGHT, WIDTH) and found.dtype == torch.float32
    for n, t, k in np.ndindex(4, 3, 5):
        x, y = (keypoints[n, t, k] / 4).tolist()
        wanted = published(x, y, sigma)[0] if labelled[n, t, k] else np.zeros((HEIGHT, WIDTH))
        np.testing.assert_allclose(found[n, k, t], wanted, atol=1e-6)


def test_a_joint_on_a_pixel_has_its_peak_there() -> None:
    found = heatmap_targets(torch.tensor([[[[3.4, 7.5]]]]), torch.ones(1, 1, 1, dtype=torch.bool), (16, 12), 1.5)
    assert found.max() == 1 and found[0, 0, 0, 8, 3] == 1
    assert found[0, 0, 0, 8, 7] > 0 and found[0, 0, 0, 8, 8] == 0  # 4.5 is the end


@pytest.mark.parametrize("outside", ["empty", "ignored"])
def test_the_loss_is_half_the_mean_square_of_what_counts(outside: str) -> None:
    crops, keypoints, labelled, known = question()
    heatmaps = torch.from_numpy(np.random.default_rng(1).normal(size=(4, 5, 3, HEIGHT, WIDTH)).astype(np.float32))
    found = PoseLoss(Still(heatmaps), 2.0, outside)(crops, keypoints, labelled, known)  # type: ignore[arg-type]
    total = 0.0
    for n, t, k in np.ndindex(4, 3, 5):
        x, y = (keypoints[n, t, k] / 4).tolist()
        target, inside = published(x, y, 2)
        if not labelled[n, t, k]:
            target, inside = np.zeros_like(target), False
        if known[n, t, k] and (inside or outside == "empty"):
            total += float(np.square(heatmaps[n, k, t].numpy() - target).sum())
    assert found.shape == (1,)
    assert found.item() == pytest.approx(0.5 * total / heatmaps.numel(), rel=1e-5)


def test_what_is_not_known_has_no_gradient() -> None:
    crops, keypoints, labelled, known = question()
    model = Still(torch.ones(4, 5, 3, HEIGHT, WIDTH))
    PoseLoss(model, 2.0, "empty")(crops, keypoints, labelled, known).sum().backward()
    moved = model.heatmaps.grad.abs().amax((3, 4)).transpose(1, 2) > 0  # type: ignore[union-attr]
    assert torch.equal(moved, known) and not known.all()


def test_the_loss_of_a_batch_is_the_mean_of_its_halves() -> None:
    arguments = question()
    heatmaps = torch.randn(4, 5, 3, HEIGHT, WIDTH)
    whole = PoseLoss(Still(heatmaps), 2.0, "empty")(*arguments)
    halves = [PoseLoss(Still(heatmaps[p]), 2.0, "empty")(*(a[p] for a in arguments)) for p in (slice(2), slice(2, 4))]
    torch.testing.assert_close(whole, (halves[0] + halves[1]) / 2)


def test_the_loss_is_computed_in_float32_whatever_the_network_does() -> None:
    arguments = question()
    heatmaps = torch.randn(4, 5, 3, HEIGHT, WIDTH).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = PoseLoss(Still(heatmaps), 2.0, "empty")(*arguments)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, PoseLoss(Still(heatmaps.float()), 2.0, "empty")(*arguments))
