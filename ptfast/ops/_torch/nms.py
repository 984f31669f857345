"""Non-maximum suppression on torch tensors: schemas, CPU and CUDA calls, and fakes.

The greedy operations return the padded indices and a status: the number of kept items, and 1 where all numbers are
finite, else 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ptfast._check import Array, check_dtype, check_finite
from ptfast.ops._numpy.nms import nms_arrays, oks_nms_arrays, soft_oks_nms_arrays
from ptfast.ops._torch.library import address, addresses, call_cuda, contiguous, define, like, numpy_view


def _nms_cpu(boxes: Tensor, scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    kept, count = nms_arrays(_name(boxes), numpy_view(boxes), numpy_view(scores), threshold)
    return torch.from_numpy(kept), torch.tensor([count, 1])


def _oks_nms_cpu(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    poses = numpy_view(keypoints), numpy_view(scores), numpy_view(areas), numpy_view(sigmas)
    kept, count = oks_nms_arrays(*poses, threshold)
    return torch.from_numpy(kept), torch.tensor([count, 1])


def _nms_cuda(boxes: Tensor, scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    boxes, scores = contiguous(boxes, scores)
    n, t = boxes.shape[0], boxes.shape[1] if boxes.dim() == 3 else 1
    order = _descending(scores)
    mask, kept, status = _results(order)
    inputs, outputs = addresses((boxes, scores, order)), addresses((mask, kept, status))
    call_cuda("tube_nms", boxes, *inputs, n, t, threshold, outputs)
    return kept, status


def _oks_nms_cuda(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    poses = contiguous(keypoints, scores, areas, sigmas)
    n, k, _ = keypoints.shape
    order = _descending(poses[1])
    mask, kept, status = _results(order)
    outputs = addresses((mask, kept, status))
    call_cuda("oks_nms", keypoints, addresses(poses), address(order), n, k, threshold, outputs)
    return kept, status


def _descending(scores: Tensor) -> Tensor:
    """(N,) int64 indices by descending score, lower index first among equals."""
    return torch.sort(_without_nan(scores), descending=True, stable=True).indices


def _results(order: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Memory of the kernels for N items in `order` (N,): mask, kept and status of csrc/nms/nms.h."""
    n = len(order)
    return order.new_empty(n * ((n + 63) // 64)), *_fake_greedy(order)


def _without_nan(scores: Tensor) -> Tensor:
    """A copy with -inf for NaN, and with no -0, which a sort could place after 0."""
    return scores.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf).add_(0.0)


def _fake_greedy(items: Tensor, *others: Tensor | float) -> tuple[Tensor, Tensor]:
    return items.new_empty(items.shape[:1], dtype=torch.int64), items.new_empty((2,), dtype=torch.int64)


def _soft_oks_nms_cpu(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    poses = numpy_view(keypoints), numpy_view(scores), numpy_view(areas), numpy_view(sigmas)
    kept, rescored = soft_oks_nms_arrays(*poses, threshold, max_detections)
    return torch.from_numpy(kept), torch.from_numpy(rescored)


def _soft_oks_nms_cuda(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    poses = contiguous(keypoints, scores, areas, sigmas)
    n, k, _ = keypoints.shape
    count = min(n, max_detections)
    left, kept, rescored = _without_nan(poses[1]), scores.new_empty(count, dtype=torch.int64), scores.new_empty(count)
    outputs = addresses((left, kept, rescored))
    call_cuda("soft_oks_nms", keypoints, addresses(poses), n, k, count, threshold, *outputs)
    return kept, rescored


def _fake_soft(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    count = torch.sym_min(keypoints.shape[0], max_detections)
    return keypoints.new_empty(count, dtype=torch.int64), keypoints.new_empty(count)


_POSES = "Tensor keypoints, Tensor scores, Tensor areas, Tensor sigmas, float threshold"
define(
    "nms_padded(Tensor boxes, Tensor scores, float threshold) -> (Tensor, Tensor)",
    cpu=_nms_cpu,
    cuda=_nms_cuda,
    fake=_fake_greedy,
)
define(f"oks_nms_padded({_POSES}) -> (Tensor, Tensor)", cpu=_oks_nms_cpu, cuda=_oks_nms_cuda, fake=_fake_greedy)
define(
    f"soft_oks_nms({_POSES}, int max_detections) -> (Tensor, Tensor)",
    cpu=_soft_oks_nms_cpu,
    cuda=_soft_oks_nms_cuda,
    fake=_fake_soft,
)


def nms(boxes: Tensor, scores: Array, threshold: float) -> Tensor:
    """ptfast.ops.nms for boxes (N, 4) and tube_nms for tubes (N, T, 4) of checked shapes."""
    inputs = _inputs({_name(boxes): boxes, "scores": scores})
    return _shortened(inputs, *torch.ops.ptfast.nms_padded(*inputs.values(), float(threshold)))


def nms_padded(boxes: Tensor, scores: Array, threshold: float) -> tuple[Tensor, Tensor]:
    """ptfast.ops.nms_padded and tube_nms_padded for tensors whose shapes are already checked."""
    inputs = _inputs({_name(boxes): boxes, "scores": scores})
    kept, status = torch.ops.ptfast.nms_padded(*inputs.values(), float(threshold))
    return kept, status[0]


def oks_nms(poses: dict[str, Array], threshold: float) -> Tensor:
    """ptfast.ops.oks_nms for tensors by their names, whose shapes are already checked."""
    inputs = _inputs(poses)
    return _shortened(inputs, *torch.ops.ptfast.oks_nms_padded(*inputs.values(), float(threshold)))


def oks_nms_padded(poses: dict[str, Array], threshold: float) -> tuple[Tensor, Tensor]:
    """ptfast.ops.oks_nms_padded for tensors whose shapes are already checked."""
    kept, status = torch.ops.ptfast.oks_nms_padded(*_inputs(poses).values(), float(threshold))
    return kept, status[0]


def soft_oks_nms(poses: dict[str, Array], threshold: float, max_detections: int) -> tuple[Tensor, Tensor]:
    """ptfast.ops.soft_oks_nms for tensors whose shapes are already checked."""
    return torch.ops.ptfast.soft_oks_nms(*_inputs(poses).values(), float(threshold), max_detections)


def _name(boxes: Tensor) -> str:
    return "boxes" if boxes.dim() == 2 else "tubes"


def _inputs(arrays: dict[str, Array]) -> dict[str, Any]:
    name, items = next(iter(arrays.items()))
    check_dtype(name, items, ("float32", "float64"))
    return {name: like(items, x) for name, x in arrays.items()}


def _shortened(inputs: dict[str, Tensor], kept: Tensor, status: Tensor) -> Tensor:
    count, finite = status.tolist()  # waits for the device, once
    if not finite:
        for name, tensor in inputs.items():
            check_finite(name, tensor.cpu().numpy())
    return kept[:count]
