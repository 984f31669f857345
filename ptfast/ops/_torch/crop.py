"""crop_tubes on torch tensors: schema, CPU and CUDA calls, fake and autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ptfast._check import check_dtype, check_index
from ptfast.ops._numpy.crop import enlarged
from ptfast.ops._torch.library import address, addresses, as_tensor, call_cpu, call_cuda, contiguous, define, numpy_view

_BOXES = "Tensor tubes, Tensor frame_index"


def _real(frames: Tensor) -> torch.dtype:
    return torch.float64 if frames.dtype == torch.float64 else torch.float32


def _forward(call: Callable) -> Callable:
    def crop_tubes(
        frames: Tensor,  # (F, H, W, 3)
        tubes: Tensor,  # (M, T, 4) of the output's dtype
        frame_index: Tensor,  # (M, T) int64
        height: int,
        width: int,
        colours: list[float],
        unbiased: bool,
    ) -> Tensor:
        frames, tubes, frame_index = contiguous(frames, tubes, frame_index)
        if call is call_cpu:  # on the GPU the check would wait for the device
            check_index("frame_index", numpy_view(frame_index), len(frames), "the number of frames")
        out = _fake(frames, tubes, frame_index, height, width, colours, unbiased)
        if out.numel():
            sizes = (*frames.shape[:3], *frame_index.shape, height, width)
            inputs = addresses((frames, tubes, frame_index))
            call("crop_tubes", frames, inputs, sizes, colours, unbiased, address(out))
        return out

    return crop_tubes


def _fake(frames: Tensor, tubes: Tensor, frame_index: Tensor, height: int, width: int, *_: object) -> Tensor:
    m, t = frame_index.shape
    return frames.new_empty(m, 3, t, height, width, dtype=_real(frames))


def _backward(call: Callable) -> Callable:
    def crop_tubes_backward(
        grad_out: Tensor,  # (M, 3, T, h, w)
        tubes: Tensor,
        frame_index: Tensor,
        frame_shape: list[int],  # F, H, W
        colours: list[float],
        unbiased: bool,
    ) -> Tensor:
        grad_out, tubes, frame_index = contiguous(grad_out, tubes, frame_index)
        indices, crops = frame_index.flatten().sort(stable=True)
        offsets = torch.searchsorted(indices, torch.arange(frame_shape[0] + 1, device=indices.device))
        grad_frames = grad_out.new_empty(*frame_shape, 3)
        if grad_frames.numel():
            sizes = (*frame_shape, *frame_index.shape, *grad_out.shape[3:])
            inputs = addresses((grad_out, tubes, frame_index, crops, offsets))
            call("crop_tubes_backward", grad_out, inputs, sizes, colours, unbiased, address(grad_frames))
        return grad_frames

    return crop_tubes_backward


def _fake_backward(grad_out: Tensor, tubes: Tensor, frame_index: Tensor, frame_shape: list[int], *_: object) -> Tensor:
    return grad_out.new_empty(*frame_shape, 3)


define(
    f"crop_tubes(Tensor frames, {_BOXES}, SymInt height, SymInt width, float[] colours, bool unbiased) -> Tensor",
    cpu=_forward(call_cpu),
    cuda=_forward(call_cuda),
    fake=_fake,
)
define(
    f"crop_tubes_backward(Tensor grad_out, {_BOXES}, SymInt[] frame_shape, float[] colours, bool unbiased) -> Tensor",
    cpu=_backward(call_cpu),
    cuda=_backward(call_cuda),
    fake=_fake_backward,
)


class _CropTubes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, frames: Tensor, tubes: Tensor, frame_index: Tensor, *options: Any) -> Tensor:
        ctx.save_for_backward(tubes, frame_index)
        ctx.frame_shape, ctx.options = frames.shape[:3], options[2:]
        return torch.ops.ptfast.crop_tubes(frames, tubes, frame_index, *options)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        grad = torch.ops.ptfast.crop_tubes_backward(grad_out, *ctx.saved_tensors, ctx.frame_shape, *ctx.options)
        return grad, None, None, None, None, None, None


def crop_tubes(
    frames: Tensor, tubes: Tensor, frame_index: Tensor, height: int, width: int, colours: list[float], unbiased: bool
) -> Tensor:
    """ptfast.ops.crop_tubes for tensors, with checked arguments."""
    tubes = as_tensor(tubes, _real(frames), frames.device).detach()
    frame_index = as_tensor(frame_index, torch.int64, frames.device)
    return _CropTubes.apply(frames, tubes, frame_index, height, width, colours, unbiased)


def box_to_crop(boxes: Tensor, aspect: float, scale: float) -> Tensor:
    """ptfast.ops.box_to_crop for a tensor, with checked arguments."""
    check_dtype("boxes", boxes, ("float32", "float64"))
    return enlarged(torch, boxes.detach(), aspect, scale)
