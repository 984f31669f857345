"""Boxes that are not finite, of no image, or far too large, at every size: defined results and errors, no crash."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peers import peer
from torch import Tensor

from ptfast.dropin import torchvision as dropin

NAN, INF = torch.nan, torch.inf
X = torch.rand(2, 16, 16, 24, generator=torch.Generator().manual_seed(0))
SMALLER = X[:, :, ::2, ::2].contiguous()
BAD = [(i, value) for i in range(1, 5) for value in (NAN, INF, -INF)]
COUNTS = [2, 300]  # boxes: torchvision pools the former, ptfast the latter


def boxes(count: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """(count, 5), the last of the second image."""
    rois = torch.tensor([[0, 2, 1, 20, 13]], dtype=dtype).repeat(count, 1)
    rois[-1, 0] = 1
    return rois


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ratio", [-1, 2])
@pytest.mark.parametrize(("column", "value"), BAD)
def test_a_box_that_is_not_finite_gives_zeros(
    count: int, dtype: torch.dtype, ratio: int, column: int, value: float
) -> None:
    x, rois = X.to(dtype).requires_grad_(), boxes(count, dtype)
    expected = dropin.roi_align(x, rois, 2, 0.5, ratio)
    odd = rois.clone()
    odd[0, column] = value
    pooled = dropin.roi_align(x, odd, 2, 0.5, ratio)
    assert not pooled[0].any()
    torch.testing.assert_close(pooled[1:], expected[1:])
    gradient = torch.autograd.grad(pooled.sum(), x)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected[1:].sum(), x)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("image", [2, -1, 1e9, NAN, INF])
def test_a_box_of_no_image_is_an_error_that_names_it(count: int, image: float) -> None:
    rois = boxes(count)
    rois[-1, 0] = image
    with pytest.raises(ValueError, match=f"boxes must be of the input's 2 images, .* got image .* in row {count - 1}"):
        dropin.roi_align(X, rois, 2)
    with pytest.raises(ValueError, match="boxes must be of the input's 0 images"):
        dropin.roi_align(X[:0], rois[:1], 2)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("side", [1e5, 1e9, 3e38])
def test_a_box_far_larger_than_the_map_is_pooled(count: int, side: float) -> None:
    """Torchvision counts its samples in 32 bits."""
    rois = boxes(count)
    rois[0, 1:] = torch.tensor([-side, -side, side, side])
    for ratio in (-1, 2):
        pooled = dropin.roi_align(X, rois, 2, 1.0, ratio)
        assert pooled.isfinite().all()
        assert pooled[-1].any()


@pytest.mark.parametrize("count", COUNTS)
def test_features_without_pixels_give_zeros(count: int) -> None:
    for x in (X[:, :, :0], X[:, :, :, :0]):
        assert not dropin.roi_align(x, boxes(count), 2, 1.0, 2).any()


@pytest.mark.parametrize("how", ["boxes with a gradient", "samples", "scale below 0", "autocast", "vmap"])
@pytest.mark.parametrize("value", [NAN, INF])
def test_what_torchvision_pools_for_other_reasons_is_as_safe(how: str, value: float) -> None:
    peer("torchvision.ops")
    rois = boxes(2)
    rois[0, 2] = value
    arguments: tuple[Any, ...] = (2, -0.5 if how == "scale below 0" else 0.5, 5000 if how == "samples" else 2)
    if how == "boxes with a gradient":
        rois.requires_grad_()
    if how == "vmap":
        pooled = torch.vmap(lambda x: dropin.roi_align(x, rois, *arguments))(X[None])[0]
    else:
        with torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
            pooled = dropin.roi_align(X, rois, *arguments)
    assert pooled.shape == (2, 16, 2, 2)
    assert not pooled[0].any()
    assert pooled[1].any() or how == "scale below 0"


def image_boxes(count: int) -> list[Tensor]:
    corners = torch.tensor([[2.0, 1, 60, 53]]).repeat(count, 1)
    return [corners, corners[:1] / 2]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("names", [["0", "1"], ["0"]])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_pyramids_are_as_safe(count: int, names: list[str], value: float) -> None:
    maps, found = {"0": X.clone().requires_grad_(), "1": SMALLER}, image_boxes(count)
    pool = dropin.MultiScaleRoIAlign(names, 2, 2, canonical_scale=32, canonical_level=3)
    expected = pool(maps, found, [(64, 96)])
    found[0][0, 2] = value
    pooled = pool(maps, found, [(64, 96)])
    assert not pooled[0].any()
    torch.testing.assert_close(pooled[1:], expected[1:])
    assert torch.autograd.grad(pooled.sum(), maps["0"])[0].isfinite().all()
    with pytest.raises(ValueError, match=r"boxes must be of the input's 2 images, .* got image 2 in row"):
        pool(maps, [*found, found[1]], [(64, 96)])


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_suppression_and_overlaps_stand_numbers_that_are_not_finite(value: float) -> None:
    peer("torchvision.ops")
    corners, scores = boxes(20)[:, 1:] + torch.arange(20)[:, None] * 30, torch.rand(20)
    for column in range(4):
        odd = corners.clone()
        odd[3, column] = value
        for kept in (dropin.nms(odd, scores, 0.5), dropin.batched_nms(odd, scores, scores.long(), 0.5)):
            assert len(set(kept.tolist())) == len(kept)
            assert set(kept.tolist()) <= set(range(20))
        assert dropin.box_iou(odd, corners)[4:].equal(dropin.box_iou(corners, corners)[4:])


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("scale", [torch.tensor(0.5), torch.tensor([0.5])], ids=["()", "(1,)"])
def test_a_tensor_is_a_scale_at_every_size(count: int, scale: Tensor) -> None:
    rois = boxes(count)
    expected = dropin.roi_align(X, rois, 2, 0.5, 2)
    assert dropin.roi_align(X, rois, 2, scale, 2).equal(expected)
    assert dropin.roi_align(X, rois, 2, spatial_scale=scale, sampling_ratio=2).equal(expected)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.bool, torch.complex64])
def test_what_is_no_float_is_a_runtime_error(count: int, dtype: torch.dtype) -> None:
    peer("torchvision.ops")
    rois = boxes(count)
    for x, these in ((X.to(dtype), rois.to(dtype)), (X.to(dtype), rois), (X, rois.to(dtype))):
        with pytest.raises(RuntimeError):
            dropin.roi_align(x, these, 2)
    with pytest.raises(RuntimeError):
        dropin.nms(rois[:, 1:].to(dtype), rois[:, 1].to(dtype), 0.5)
    with pytest.raises(RuntimeError):
        dropin.nms(rois[:, 1:], rois[:, 1], "0.5")  # type: ignore[arg-type]
