"""Non-maximum suppression on torch tensors: schemas, CPU and CUDA calls, and fakes.

The greedy operations return the padded indices and a status: how many are kept, and 1 where all numbers are finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ptfast._check import Array, check_dtype, check_finite
from ptfast.ops._torch._library import address, call_cuda, define, numpy_view
from ptfast.ops.nms import nms_arrays, oks_nms_arrays, soft_oks_nms_arrays


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
    boxes, scores = boxes.contiguous(), scores.contiguous()
    n, t = boxes.shape[0], boxes.shape[1] if boxes.dim() == 3 else 1
    arguments = address(boxes), address(scores), n, t, threshold
    return _greedy(scores, lambda *results: call_cuda("tube_nms", boxes, *arguments, results))


def _oks_nms_cuda(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    poses = [x.contiguous() for x in (keypoints, scores, areas, sigmas)]
    arguments = [address(x) for x in poses], *keypoints.shape[:2], threshold
    return _greedy(poses[1], lambda *results: call_cuda("oks_nms", keypoints, *arguments, results))


def _greedy(scores: Tensor, call: Callable[..., None]) -> tuple[Tensor, Tensor]:
    """Calls the kernel with the addresses of order, mask, kept and status."""
    order = torch.sort(_without_nan(scores), descending=True, stable=True).indices
    n = len(scores)
    mask = order.new_empty(n * ((n + 63) // 64))
    kept, status = _fake_greedy(scores)
    call(*map(address, (order, mask, kept, status)))
    return kept, status


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
    poses = [x.contiguous() for x in (keypoints, scores, areas, sigmas)]
    n, k, _ = keypoints.shape
    count = min(n, max_detections)
    left, kept, rescored = _without_nan(poses[1]), scores.new_empty(count, dtype=torch.int64), scores.new_empty(count)
    results = map(address, (left, kept, rescored))
    call_cuda("soft_oks_nms", keypoints, [address(x) for x in poses], n, k, threshold, count, *results)
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
    """ptfast.ops.nms and tube_nms for tensors, (N, 4) or (N, T, 4); shapes are already checked."""
    inputs = _inputs({_name(boxes): boxes, "scores": scores})
    return _shortened(inputs, *torch.ops.ptfast.nms_padded(*inputs.values(), float(threshold)))


def nms_padded(boxes: Tensor, scores: Array, threshold: float) -> tuple[Tensor, Tensor]:
    """ptfast.ops.nms_padded and tube_nms_padded for tensors; shapes are already checked."""
    inputs = _inputs({_name(boxes): boxes, "scores": scores})
    kept, status = torch.ops.ptfast.nms_padded(*inputs.values(), float(threshold))
    return kept, status[0]


def oks_nms(poses: dict[str, Array], threshold: float) -> Tensor:
    """ptfast.ops.oks_nms for tensors, by their names; shapes are already checked."""
    inputs = _inputs(poses)
    return _shortened(inputs, *torch.ops.ptfast.oks_nms_padded(*inputs.values(), float(threshold)))


def oks_nms_padded(poses: dict[str, Array], threshold: float) -> tuple[Tensor, Tensor]:
    """ptfast.ops.oks_nms_padded for tensors; shapes are already checked."""
    kept, status = torch.ops.ptfast.oks_nms_padded(*_inputs(poses).values(), float(threshold))
    return kept, status[0]


def soft_oks_nms(poses: dict[str, Array], threshold: float, max_detections: int) -> tuple[Tensor, Tensor]:
    """ptfast.ops.soft_oks_nms for tensors; shapes are already checked."""
    return torch.ops.ptfast.soft_oks_nms(*_inputs(poses).values(), float(threshold), max_detections)


def _name(boxes: Tensor) -> str:
    return "boxes" if boxes.dim() == 2 else "tubes"


def _inputs(arrays: dict[str, Array]) -> dict[str, Any]:
    name, items = next(iter(arrays.items()))
    check_dtype(name, items, ("float32", "float64"))
    return {name: torch.as_tensor(x, dtype=items.dtype, device=items.device).detach() for name, x in arrays.items()}


def _shortened(inputs: dict[str, Tensor], kept: Tensor, status: Tensor) -> Tensor:
    count, finite = status.tolist()  # waits for the device, once
    if not finite:
        for name, tensor in inputs.items():
            check_finite(name, tensor.cpu().numpy())
    return kept[:count]
