"""decode_bicubic against interpolation box by box, and known peaks."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ptfast.models.keypoints import cubic_weights, decode_bicubic

BOXES = torch.tensor([[10.0, 20.0, 73.5, 144.2], [0.0, 0.0, 56.0, 56.0], [3.2, 4.0, 3.6, 30.0], [5.0, 5.0, 17.7, 9.1]])


@pytest.mark.parametrize(("size", "count"), [(56, 56), (56, 131), (56, 7), (56, 1), (1, 9), (5, 3)])
def test_weights_are_those_of_interpolation(size: int, count: int) -> None:
    values = torch.randn(1, 1, size, 1, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(values, size=(count, 1), mode="bicubic", align_corners=False)
    got = cubic_weights(size, count, values.device) @ values[0, 0]
    torch.testing.assert_close(got, expected[0, 0], rtol=1e-5, atol=1e-5)


def test_every_box_is_that_of_an_enlarged_heatmap() -> None:
    heatmaps = torch.randn(4, 5, 56, 56, generator=torch.Generator().manual_seed(1))
    keypoints, scores = decode_bicubic(heatmaps, BOXES)
    for index, box in enumerate(BOXES):
        width, height = (box[2:] - box[:2]).clamp(min=1).tolist()
        rows, columns = -int(-height // 1), -int(-width // 1)
        enlarged = F.interpolate(heatmaps[index][None], size=(rows, columns), mode="bicubic", align_corners=False)[0]
        torch.testing.assert_close(scores[index], enlarged.flatten(1).amax(1), rtol=1e-5, atol=1e-5)
        cell = ((keypoints[index] - box[:2]) * torch.tensor([columns / width, rows / height]) - 0.5).round().long()
        at_peak = enlarged[torch.arange(5), cell[:, 1], cell[:, 0]]
        torch.testing.assert_close(at_peak, scores[index], rtol=1e-5, atol=1e-5)


def test_a_known_peak() -> None:
    heatmaps = torch.zeros(1, 1, 56, 56)
    heatmaps[0, 0, 30, 12] = 2.0
    keypoints, scores = decode_bicubic(heatmaps, torch.tensor([[100.0, 200.0, 156.0, 256.0]]))
    torch.testing.assert_close(keypoints, torch.tensor([[[112.5, 230.5]]]))
    torch.testing.assert_close(scores, torch.tensor([[2.0]]))


def test_nobody() -> None:
    keypoints, scores = decode_bicubic(torch.zeros(0, 15, 56, 56), torch.zeros(0, 4))
    assert keypoints.shape == (0, 15, 2) and scores.shape == (0, 15)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"boxes must have shape \(M, 4\) with M = 1, got \(2, 4\)"):
        decode_bicubic(torch.zeros(1, 3, 56, 56), torch.zeros(2, 4))
