"""iou_matrix and tube_iou_matrix on torch tensors: schema, CPU call and fake."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._torch._library import define, numpy_view, refuse_cuda
from ptfast.ops.boxes import iou_arrays, tube_iou_arrays


def _iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    return torch.from_numpy(iou_arrays(numpy_view(a), numpy_view(b)))


def _iou_fake(a: Tensor, b: Tensor) -> Tensor:
    return a.new_empty(*a.shape[:-1], b.shape[-2])


def _tube_iou_matrix(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    return torch.from_numpy(tube_iou_arrays(*[numpy_view(x) for x in (a, b, a_valid, b_valid)]))


def _tube_iou_fake(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    return a.new_empty(*a.shape[:-2], b.shape[-3])


define("iou_matrix(Tensor a, Tensor b) -> Tensor", cpu=_iou_matrix, cuda=None, fake=_iou_fake)
define(
    "tube_iou_matrix(Tensor a, Tensor b, Tensor? a_valid, Tensor? b_valid) -> Tensor",
    cpu=_tube_iou_matrix,
    cuda=None,
    fake=_tube_iou_fake,
)


def iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    """ptfast.ops.iou_matrix for tensors; shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    refuse_cuda("iou_matrix", a, "boxes")
    return torch.ops.ptfast.iou_matrix(a.detach(), torch.as_tensor(b, dtype=a.dtype).detach())


def tube_iou_matrix(a: Tensor, b: Tensor, a_valid: Tensor | None, b_valid: Tensor | None) -> Tensor:
    """ptfast.ops.tube_iou_matrix for tensors; shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    refuse_cuda("tube_iou_matrix", a, "tubes")
    masks = [None if x is None else torch.as_tensor(x) for x in (a_valid, b_valid)]
    return torch.ops.ptfast.tube_iou_matrix(a.detach(), torch.as_tensor(b, dtype=a.dtype).detach(), *masks)
