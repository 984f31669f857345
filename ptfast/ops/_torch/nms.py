"""Non-maximum suppression on torch tensors: schemas, CPU calls and fakes."""

from __future__ import annotations

import torch
from torch import Tensor

from ptfast._check import Array, check_dtype
from ptfast.ops._torch._library import define, numpy_view, refuse_cuda
from ptfast.ops.nms import nms_arrays, oks_nms_arrays, soft_oks_nms_arrays


def _nms_padded(boxes: Tensor, scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    name = "boxes" if boxes.dim() == 2 else "tubes"
    kept, count = nms_arrays(name, numpy_view(boxes), numpy_view(scores), threshold)
    return torch.from_numpy(kept), torch.tensor(count)


def _oks_nms_padded(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    poses = numpy_view(keypoints), numpy_view(scores), numpy_view(areas), numpy_view(sigmas)
    kept, count = oks_nms_arrays(*poses, threshold)
    return torch.from_numpy(kept), torch.tensor(count)


def _fake_padded(items: Tensor, scores: Tensor, *others: Tensor | float) -> tuple[Tensor, Tensor]:
    return items.new_empty(items.shape[:1], dtype=torch.int64), items.new_empty((), dtype=torch.int64)


def _soft_oks_nms(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    poses = numpy_view(keypoints), numpy_view(scores), numpy_view(areas), numpy_view(sigmas)
    kept, rescored = soft_oks_nms_arrays(*poses, threshold, max_detections)
    return torch.from_numpy(kept), torch.from_numpy(rescored)


def _fake_soft(
    keypoints: Tensor, scores: Tensor, areas: Tensor, sigmas: Tensor, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    count = torch.sym_min(keypoints.shape[0], max_detections)
    return keypoints.new_empty(count, dtype=torch.int64), keypoints.new_empty(count)


_POSES = "Tensor keypoints, Tensor scores, Tensor areas, Tensor sigmas, float threshold"
define(
    "nms_padded(Tensor boxes, Tensor scores, float threshold) -> (Tensor, Tensor)",
    cpu=_nms_padded,
    cuda=None,
    fake=_fake_padded,
)
define(f"oks_nms_padded({_POSES}) -> (Tensor, Tensor)", cpu=_oks_nms_padded, cuda=None, fake=_fake_padded)
define(f"soft_oks_nms({_POSES}, int max_detections) -> (Tensor, Tensor)", cpu=_soft_oks_nms, cuda=None, fake=_fake_soft)


def nms_padded(name: str, boxes: Tensor, scores: Array, threshold: float) -> tuple[Tensor, Tensor]:
    """ptfast.ops.nms_padded and tube_nms_padded for tensors, (N, 4) or (N, T, 4); shapes are already checked."""
    operation = "nms" if name == "boxes" else "tube_nms"
    return torch.ops.ptfast.nms_padded(*_inputs(operation, name, boxes, scores), float(threshold))


def oks_nms_padded(
    keypoints: Tensor, scores: Array, areas: Array, sigmas: Array, threshold: float
) -> tuple[Tensor, Tensor]:
    """ptfast.ops.oks_nms_padded for tensors; shapes are already checked."""
    inputs = _inputs("oks_nms", "keypoints", keypoints, scores, areas, sigmas)
    return torch.ops.ptfast.oks_nms_padded(*inputs, float(threshold))


def soft_oks_nms(
    keypoints: Tensor, scores: Array, areas: Array, sigmas: Array, threshold: float, max_detections: int
) -> tuple[Tensor, Tensor]:
    """ptfast.ops.soft_oks_nms for tensors; shapes are already checked."""
    inputs = _inputs("soft_oks_nms", "keypoints", keypoints, scores, areas, sigmas)
    return torch.ops.ptfast.soft_oks_nms(*inputs, float(threshold), max_detections)


def _inputs(operation: str, name: str, items: Tensor, *others: Array) -> list[Tensor]:
    check_dtype(name, items, ("float32", "float64"))
    refuse_cuda(operation, items, name)
    return [items.detach(), *(torch.as_tensor(x, dtype=items.dtype).detach() for x in others)]
