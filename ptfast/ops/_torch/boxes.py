"""iou_matrix and tube_iou_matrix on torch tensors: schema, CPU and CUDA calls, and fake."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._numpy.boxes import iou_arrays, tube_iou_arrays
from ptfast.ops._torch.library import address, addresses, as_mask, as_tensor, call_cuda, define, like, numpy_view


def _iou_cpu(a: Tensor, b: Tensor) -> Tensor:
    return torch.from_numpy(iou_arrays(numpy_view(a), numpy_view(b)))


def _iou_cuda(a: Tensor, b: Tensor) -> Tensor:
    a, b = a.contiguous(), b.contiguous()
    n, m = a.shape[-2], b.shape[-2]
    out = _iou_fake(a, b)
    if out.numel():
        call_cuda("iou_matrix", a, address(a), address(b), out.numel() // (n * m), n, m, address(out))
    return out


def _iou_fake(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty(*a.shape[:-1], b.shape[-2])


def _tube_iou_cpu(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    return torch.from_numpy(tube_iou_arrays(*[numpy_view(x) for x in (a, b, a_valid, b_valid)]))


def _tube_iou_cuda(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    inputs = a.contiguous(), b.contiguous(), as_mask(a_valid), as_mask(b_valid)
    n, m, t = a.shape[-3], b.shape[-3], a.shape[-2]
    if not t:
        return a.new_zeros(*a.shape[:-2], m)
    out = _tube_iou_fake(a, b, a_valid, b_valid)
    if out.numel():
        sizes = (out.numel() // (n * m), n, m, t)
        call_cuda("tube_iou_matrix", a, addresses(inputs), sizes, address(out))
    return out


def _tube_iou_fake(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    return a.new_empty(*a.shape[:-2], b.shape[-3])


define("iou_matrix(Tensor a, Tensor b) -> Tensor", cpu=_iou_cpu, cuda=_iou_cuda, fake=_iou_fake)
define(
    "tube_iou_matrix(Tensor a, Tensor b, Tensor? a_valid, Tensor? b_valid) -> Tensor",
    cpu=_tube_iou_cpu,
    cuda=_tube_iou_cuda,
    fake=_tube_iou_fake,
)


def iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    """ptfast.ops.iou_matrix for tensors whose shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    return torch.ops.ptfast.iou_matrix(a.detach(), like(a, b))


def tube_iou_matrix(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    """ptfast.ops.tube_iou_matrix for tensors whose shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    masks = [None if x is None else as_tensor(x, None, a.device) for x in (a_valid, b_valid)]
    return torch.ops.ptfast.tube_iou_matrix(a.detach(), like(a, b), *masks)
