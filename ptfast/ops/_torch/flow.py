"""sample_flow on torch tensors: schema, CPU and CUDA calls, fake and autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._torch.library import addresses, as_tensor, call_cpu, call_cuda, contiguous, define


def _sizes(flow: Tensor, points: Tensor) -> tuple[int, int, int]:
    return flow.shape[0], flow.shape[1], points.numel() // 2


def _forward(call: Callable) -> Callable:
    def sample_flow(flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        flow, points = contiguous(flow, points)
        values, inside = _fake(flow, points)
        if inside.numel():
            inputs, outputs = addresses((flow, points)), addresses((values, inside))
            call("sample_flow", flow, *inputs, _sizes(flow, points), *outputs)
        return values, inside

    return sample_flow


def _fake(flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    return points.new_empty(points.shape), points.new_empty(points.shape[:-1], dtype=torch.bool)


def _backward(call: Callable) -> Callable:
    def sample_flow_backward(grad_values: Tensor, flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        grad_values, flow, points = contiguous(grad_values, flow, points)
        grad_flow, grad_points = _fake_backward(grad_values, flow, points)
        grad_flow.zero_()
        count = points.numel() // 2
        if count and flow.numel():
            pixels = torch.empty(count, 4, dtype=torch.int64, device=flow.device)
            contributions = flow.new_empty(count, 4, 2)
            inputs = addresses((grad_values, flow, points))
            outputs = addresses((grad_points, pixels, contributions))
            call("sample_flow_backward", flow, inputs, _sizes(flow, points), outputs)
            # torch adds them up: in a fixed order where deterministic algorithms are asked for.
            grad_flow.view(-1, 2).index_add_(0, pixels.view(-1), contributions.view(-1, 2))
        else:
            grad_points.zero_()
        return grad_flow, grad_points

    return sample_flow_backward


def _fake_backward(grad_values: Tensor, flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    return flow.new_empty(flow.shape), points.new_empty(points.shape)


define(
    "sample_flow(Tensor flow, Tensor points) -> (Tensor, Tensor)",
    cpu=_forward(call_cpu),
    cuda=_forward(call_cuda),
    fake=_fake,
)
define(
    "sample_flow_backward(Tensor grad_values, Tensor flow, Tensor points) -> (Tensor, Tensor)",
    cpu=_backward(call_cpu),
    cuda=_backward(call_cuda),
    fake=_fake_backward,
)


class _SampleFlow(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        values, inside = torch.ops.ptfast.sample_flow(flow, points)
        ctx.save_for_backward(flow, points)
        ctx.mark_non_differentiable(inside)
        return values, inside

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_values: Tensor, _: Tensor) -> tuple[Tensor, Tensor]:
        return torch.ops.ptfast.sample_flow_backward(grad_values, *ctx.saved_tensors)


def sample_flow(flow: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """ptfast.ops.sample_flow for tensors whose shapes are already checked."""
    check_dtype("flow", flow, ("float32", "float64"))
    return _SampleFlow.apply(flow, as_tensor(points, flow.dtype, flow.device))
