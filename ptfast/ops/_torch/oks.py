"""oks_matrix on torch tensors: schema, CPU and CUDA calls, fake and autograd."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._torch.library import address, addresses, as_tensor, call_cpu, call_cuda, contiguous, define

_ARGUMENTS = "Tensor a, Tensor b, Tensor? area_a, Tensor area_b, Tensor sigmas, Tensor? a_visible, Tensor? b_visible"


def _sizes(a: Tensor, b: Tensor) -> tuple[int, int, int, int]:
    n, k, m = a.shape[-3], a.shape[-2], b.shape[-3]
    return math.prod(a.shape[:-3]), n, m, k


def _forward(call: Callable) -> Callable:
    def oks_matrix(
        a: Tensor,  # (..., N, K, 2)
        b: Tensor,  # (..., M, K, 2)
        area_a: Tensor | None,  # (..., N)
        area_b: Tensor,  # (..., M)
        sigmas: Tensor,  # (K,)
        a_visible: Tensor | None,  # (..., N, K) uint8
        b_visible: Tensor | None,  # (..., M, K) uint8
    ) -> Tensor:
        inputs = contiguous(a, b, area_a, area_b, sigmas, a_visible, b_visible)
        out = a.new_empty(*a.shape[:-2], b.shape[-3])
        if out.numel():
            call("oks_matrix", out, addresses(inputs), _sizes(a, b), address(out))
        return out

    return oks_matrix


def _backward(call: Callable) -> Callable:
    def oks_matrix_backward(grad_out: Tensor, a: Tensor, b: Tensor, *others: Tensor | None) -> tuple[Tensor, Tensor]:
        inputs = contiguous(grad_out, a, b, *others)
        grad_a, grad_b = (torch.zeros_like(x, memory_format=torch.contiguous_format) for x in (a, b))
        if grad_out.numel():
            call("oks_matrix_backward", a, addresses(inputs), _sizes(a, b), address(grad_a), address(grad_b))
        return grad_a, grad_b

    return oks_matrix_backward


def _fake(a: Tensor, b: Tensor, *others: Tensor | None) -> Tensor:
    return a.new_empty(*a.shape[:-2], b.shape[-3])


def _fake_backward(grad_out: Tensor, a: Tensor, b: Tensor, *others: Tensor | None) -> tuple[Tensor, Tensor]:
    return a.new_empty(a.shape), b.new_empty(b.shape)


define(f"oks_matrix({_ARGUMENTS}) -> Tensor", cpu=_forward(call_cpu), cuda=_forward(call_cuda), fake=_fake)
define(
    f"oks_matrix_backward(Tensor grad_out, {_ARGUMENTS}) -> (Tensor, Tensor)",
    cpu=_backward(call_cpu),
    cuda=_backward(call_cuda),
    fake=_fake_backward,
)


class _OksMatrix(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor | None) -> Tensor:
        ctx.save_for_backward(*inputs)
        return torch.ops.ptfast.oks_matrix(*inputs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        grad_a, grad_b = torch.ops.ptfast.oks_matrix_backward(grad_out, *ctx.saved_tensors)
        return grad_a, grad_b, None, None, None, None, None


def oks_matrix(
    a: Tensor,
    b: Tensor,
    area: Tensor | tuple[Tensor, Tensor],
    sigmas: Tensor,
    a_visible: Tensor | None,
    b_visible: Tensor | None,
) -> Tensor:
    """ptfast.ops.oks_matrix for tensors whose shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    area_a, area_b = area if isinstance(area, tuple) else (None, area)
    reals = [None if x is None else as_tensor(x, a.dtype, a.device) for x in (b, area_a, area_b, sigmas)]
    masks = [None if x is None else as_tensor(x, None, a.device).ne(0).to(torch.uint8) for x in (a_visible, b_visible)]
    return _OksMatrix.apply(a, *reals, *masks)
