"""pckh_matrix on torch tensors: schema, CPU and CUDA calls, and fake."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._numpy.pckh import pckh_arrays
from ptfast.ops._torch.library import (
    address,
    addresses,
    as_mask,
    as_tensor,
    call_cuda,
    contiguous,
    define,
    like,
    numpy_view,
)


def _cpu(
    a: Tensor, b: Tensor, head_sizes: Tensor, threshold: float, a_visible: Tensor | None, b_visible: Tensor | None
) -> Tensor:
    masks = numpy_view(a_visible), numpy_view(b_visible)
    return torch.from_numpy(pckh_arrays(numpy_view(a), numpy_view(b), numpy_view(head_sizes), threshold, *masks))


def _cuda(
    a: Tensor, b: Tensor, head_sizes: Tensor, threshold: float, a_visible: Tensor | None, b_visible: Tensor | None
) -> Tensor:
    inputs = (*contiguous(a, b, head_sizes), as_mask(a_visible), as_mask(b_visible))
    n, m, k = a.shape[-3], b.shape[-3], a.shape[-2]
    out = _fake(a, b)
    if out.numel():
        sizes = (out.numel() // (n * m), n, m, k)
        call_cuda("pckh_matrix", a, addresses(inputs), sizes, threshold, address(out))
    return out


def _fake(a: Tensor, b: Tensor, *others: Tensor | float | None) -> Tensor:
    return a.new_empty(*a.shape[:-2], b.shape[-3])


define(
    "pckh_matrix(Tensor a, Tensor b, Tensor head_sizes, float threshold, Tensor? a_visible, Tensor? b_visible)"
    " -> Tensor",
    cpu=_cpu,
    cuda=_cuda,
    fake=_fake,
)


def pckh_matrix(
    a: Tensor, b: Tensor, head_sizes: Tensor, threshold: float, a_visible: Tensor | None, b_visible: Tensor | None
) -> Tensor:
    """ptfast.ops.pckh_matrix for tensors whose shapes are already checked."""
    check_dtype("a", a, ("float32", "float64"))
    b, head_sizes = like(a, b), like(a, head_sizes)
    masks = [None if x is None else as_tensor(x, None, a.device) for x in (a_visible, b_visible)]
    return torch.ops.ptfast.pckh_matrix(a.detach(), b, head_sizes, float(threshold), *masks)
