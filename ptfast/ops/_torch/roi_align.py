"""tube_roi_align on torch tensors: schema, CPU and CUDA calls, fake and autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ptfast._check import check_index
from ptfast.ops._torch.library import (
    address,
    addresses,
    align,
    as_tensor,
    call_cpu,
    call_cuda,
    contiguous,
    define,
    numpy_view,
)

_BOXES = "Tensor tubes, Tensor batch_index, Tensor? level, float[] spatial_scales"


def _forward(call: Callable) -> Callable:
    def tube_roi_align(
        features: list[Tensor],  # (B, C, T, H, W) of each level
        tubes: Tensor,  # (M, T, 4) float32, or float64 for float64 features
        batch_index: Tensor,  # (M,) int64
        level: Tensor | None,  # (M,) int64
        spatial_scales: list[float],
        rows: int,
        columns: int,
        sampling_ratio: int,
        aligned: bool,
        channels_last: bool,
    ) -> Tensor:
        tubes, batch_index, level = contiguous(tubes, batch_index, level)
        b, c, t, _, _ = features[0].shape
        if call is call_cpu:  # on the GPU it would wait; there the kernel leaves such a tube's result zero
            check_index("batch_index", numpy_view(batch_index), b, "the features' batch")
        out = _result(features[0], tubes, rows, columns, channels_last)
        if out.numel():
            maps = [align(x) for x in features]
            levels = [_level(x, scale) for x, scale in zip(maps, spatial_scales, strict=True)]
            where, sizes = addresses((tubes, batch_index, level)), (len(tubes), b, c, t, rows, columns)
            call("tube_roi_align", out, levels, where, sizes, sampling_ratio, aligned, (address(out), out.stride()))
        return out

    return tube_roi_align


def _backward(call: Callable) -> Callable:
    def tube_roi_align_backward(
        grad_out: Tensor,  # (M, C, T, R, R)
        tubes: Tensor,  # (M, T, 4)
        batch_index: Tensor,  # (M,) int64
        level: Tensor | None,  # (M,) int64
        spatial_scales: list[float],
        batch: int,
        heights: list[int],
        widths: list[int],
        sampling_ratio: int,
        aligned: bool,
        channels_last: list[bool],
    ) -> list[Tensor]:
        tubes, batch_index, level = contiguous(tubes, batch_index, level)
        grads = _gradients(grad_out, batch, heights, widths, channels_last)
        if grad_out.numel() == 0:
            return [grad.zero_() for grad in grads]
        m, c, t, rows, columns = grad_out.shape
        grad_out = align(grad_out)
        levels = [_level(x, scale) for x, scale in zip(grads, spatial_scales, strict=True)]
        incoming, where = (address(grad_out), grad_out.stride()), addresses((tubes, batch_index, level))
        sizes = (m, batch, c, t, rows, columns)
        call("tube_roi_align_backward", grad_out, incoming, where, sizes, sampling_ratio, aligned, levels)
        return grads

    return tube_roi_align_backward


def _level(features: Tensor, scale: float) -> tuple[int, tuple[int, ...], int, int, float]:
    return address(features), features.stride(), features.shape[3], features.shape[4], scale


def _result(features: Tensor, tubes: Tensor, rows: int, columns: int, channels_last: bool) -> Tensor:
    m, c, t = tubes.shape[0], features.shape[1], features.shape[2]
    if channels_last:
        return features.new_empty((m, t, rows, columns, c)).permute(0, 4, 1, 2, 3)
    return features.new_empty((m, c, t, rows, columns))


def _gradients(
    grad_out: Tensor, batch: int, heights: Sequence[int], widths: Sequence[int], channels_last: Sequence[bool]
) -> list[Tensor]:
    c, t = grad_out.shape[1:3]
    return [
        grad_out.new_empty((batch, t, h, w, c)).permute(0, 4, 1, 2, 3)
        if last
        else grad_out.new_empty((batch, c, t, h, w))
        for h, w, last in zip(heights, widths, channels_last, strict=True)
    ]


def _fake(
    features: list[Tensor],
    tubes: Tensor,
    batch_index: Tensor,
    level: Tensor | None,
    spatial_scales: list[float],
    rows: int,
    columns: int,
    *others: Any,
) -> Tensor:
    return _result(features[0], tubes, rows, columns, channels_last=others[-1])


def _fake_backward(grad_out: Tensor, *others: Any) -> list[Tensor]:
    *_, batch, heights, widths, _, _, channels_last = others
    return _gradients(grad_out, batch, heights, widths, channels_last)


define(
    f"tube_roi_align(Tensor[] features, {_BOXES}, int rows, int columns, int sampling_ratio, bool aligned, "
    "bool channels_last) -> Tensor",
    cpu=_forward(call_cpu),
    cuda=_forward(call_cuda),
    fake=_fake,
)
define(
    f"tube_roi_align_backward(Tensor grad_out, {_BOXES}, SymInt batch, SymInt[] heights, SymInt[] widths, "
    "int sampling_ratio, bool aligned, bool[] channels_last) -> Tensor[]",
    cpu=_backward(call_cpu),
    cuda=_backward(call_cuda),
    fake=_fake_backward,
)


class _TubeRoiAlign(torch.autograd.Function):
    # torch.compile takes a list among the arguments apart, and mistakes a signature with as many names as there are
    # arguments for one without ctx; hence one flat list.
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        tubes, index, level, rows, columns, ratio, aligned, channels_last, *features_and_scales = inputs
        count = len(features_and_scales) // 2
        features, scales = features_and_scales[:count], features_and_scales[count:]
        ctx.save_for_backward(tubes, index, level)
        heights, widths = [x.shape[3] for x in features], [x.shape[4] for x in features]
        innermost = [x.stride(1) == 1 and x.shape[1] > 1 for x in features]
        ctx.about = (scales, features[0].shape[0], heights, widths, ratio, aligned, innermost)
        return torch.ops.ptfast.tube_roi_align(
            features, tubes, index, level, scales, rows, columns, ratio, aligned, channels_last
        )

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        grads = torch.ops.ptfast.tube_roi_align_backward(grad_out, *ctx.saved_tensors, *ctx.about)
        return *[None] * 8, *grads, *[None] * len(grads)


def tube_roi_align(
    features: list[Tensor],
    tubes: Tensor,
    batch_index: Tensor,
    level: Tensor | None,
    scales: list[float],
    rows: int,
    columns: int,
    sampling_ratio: int,
    aligned: bool,
    channels_last: bool,
) -> Tensor:
    """ptfast.ops.tube_roi_align and pyramid_tube_roi_align for tensors whose shapes are already checked."""
    device = features[0].device
    dtype = torch.float64 if features[0].dtype == torch.float64 else torch.float32
    boxes = as_tensor(tubes, dtype, device).detach()
    index = as_tensor(batch_index, torch.int64, device)
    options = (rows, columns, sampling_ratio, aligned, channels_last)
    return _TubeRoiAlign.apply(boxes, index, level, *options, *features, *scales)


def levels(
    features: Tensor, tubes: Tensor, lowest: float, count: int, canonical_size: float, canonical_level: int
) -> Tensor:
    """(M,) int64 pyramid level of each tube on the features' device. The rule is that of level_arrays."""
    tubes = as_tensor(tubes, None, features.device).detach()
    tubes = tubes.to(torch.float64 if tubes.dtype == torch.float64 else torch.float32)
    sides = tubes[..., 2:] - tubes[..., :2]
    size = (sides[..., 0] * sides[..., 1]).mean(1).sqrt()
    exact = torch.floor(canonical_level + torch.log2(size / canonical_size) + 1e-6) - lowest
    return exact.nan_to_num(nan=0.0).clamp(0, count - 1).to(torch.int64)
