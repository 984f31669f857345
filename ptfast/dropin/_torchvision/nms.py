"""torchvision's nms and batched_nms. ptfast's are the faster at every size: 9 us a call of a few boxes against 13."""

from __future__ import annotations

from functools import lru_cache
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from ptfast.dropin._torchvision.common import (
    dtype_name,
    has_kernels,
    is_autocast,
    is_eager,
    is_recorded,
    scripted_as_torchvisions,
    torchvisions,
)
from ptfast.ops import nms as ptfast_nms
from ptfast.ops.nms import nms_arrays

_FLOATS = (torch.float32, torch.float64)
_MOST_SHIFTED = {"cpu": 4000, "cuda": 100_000}  # coordinates up to which torchvision's batched_nms shifts classes apart


@scripted_as_torchvisions
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: the boxes, best first, that overlap no better one by more than a threshold.

    Equal to torchvision 0.29's, done by ptfast.ops.nms. Numbers that are not finite, negative thresholds, compiled
    graphs, traces, TorchScript, torch.func's transforms and quantised boxes go to torchvision. On a GPU equal scores go
    by index, where torchvision leaves the order open. Without torchvision torch.compile breaks its graph here.

    Args:
        boxes: (N, 4) float32 or float64, x1, y1, x2, y2; half precision under autocast and on a GPU.
        scores: (N,) of the same dtype.
        iou_threshold: Any number. Above 1 all boxes are kept, and a negative one needs torchvision.

    Returns:
        (M,) int64 indices of the kept boxes, highest score first, of equal ones the lower index; on the boxes' device.

    Raises:
        RuntimeError: A shape is wrong, the dtypes differ, or boxes on the CPU are neither float32 nor float64.
        ValueError: Without torchvision, a number is not finite or the threshold negative.
    """
    eager = is_eager(boxes, scores)
    peer = torchvisions("nms", eager)
    if peer and not (eager and has_kernels(boxes, scores) and isinstance(iou_threshold, Real | Tensor)):
        return peer(boxes, scores, iou_threshold)
    _check(boxes, scores)
    try:
        return _kept(boxes, scores, float(iou_threshold), eager and boxes.is_cpu)
    except ValueError:  # a number is not finite, or the threshold negative
        if not peer:
            raise
        return peer(boxes, scores, iou_threshold)


@scripted_as_torchvisions
def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression of each class by itself.

    Equal to torchvision 0.29's, also in this: up to 1,000 boxes (25,000 on a GPU) it shifts the classes apart and
    suppresses them together, which rounds coordinates, and lets boxes with negative ones meet those of another class.
    Where that matters, call ptfast.ops.nms on each class. The same inputs go to torchvision as with nms.

    Args:
        boxes: (N, 4), as for nms.
        scores: (N,).
        idxs: (N,) the class of each box.
        iou_threshold: Any number. Above 1 all boxes are kept, and a negative one needs torchvision.

    Returns:
        (M,) int64 indices of the kept boxes, highest score first, equal ones in torchvision's order.

    Raises:
        RuntimeError: A shape or a dtype is wrong, or the dtypes of boxes and scores differ.
        ValueError: Raised as by nms.
    """
    if not is_recorded() and boxes.numel() == 0:
        return torch.empty(0, dtype=torch.int64, device=boxes.device)
    eager = is_eager(boxes, scores, idxs)
    peer = torchvisions("batched_nms", eager)
    plain = eager and has_kernels(boxes, scores, idxs) and isinstance(iou_threshold, Real | Tensor)
    plain = plain and boxes.dtype == scores.dtype and boxes.dtype in _FLOATS
    if peer and not (plain and idxs.shape == scores.shape and idxs.device == boxes.device):
        return peer(boxes, scores, idxs, iou_threshold)
    _check(boxes, scores)
    try:
        tensors = boxes.detach(), scores.detach(), idxs.detach()
        return _kept_of_classes(*tensors, float(iou_threshold), eager and boxes.is_cpu)
    except ValueError:  # a number is not finite, or the threshold negative
        if not peer:
            raise
        return peer(boxes, scores, idxs, iou_threshold)


def _check(boxes: Tensor, scores: Tensor) -> None:
    alike = boxes.dtype == scores.dtype and boxes.device == scores.device
    if alike and boxes.dtype in _FLOATS and boxes.dim() == 2 and boxes.shape == (*scores.shape, 4):
        return
    if boxes.dim() != 2:
        raise RuntimeError(f"boxes should be a 2d tensor, got {boxes.dim()}D")
    if boxes.size(1) != 4:
        raise RuntimeError(f"boxes should have 4 elements in dimension 1, got {boxes.size(1)}")
    if scores.dim() != 1:
        raise RuntimeError(f"scores should be a 1d tensor, got {scores.dim()}D")
    if len(boxes) != len(scores):
        raise RuntimeError(
            f"boxes and scores should have same number of elements in dimension 0, got {len(boxes)} and {len(scores)}"
        )
    if boxes.device != scores.device:
        raise RuntimeError(f"boxes and scores must be on one device, got {boxes.device} and {scores.device}")
    if not boxes.is_floating_point() or not (boxes.dtype in _FLOATS or boxes.is_cuda or is_autocast(boxes)):
        raise RuntimeError(f"\"nms_kernel\" not implemented for '{dtype_name(boxes)}'")
    if boxes.dtype != scores.dtype and not is_autocast(boxes):
        raise RuntimeError("dets should have the same type as scores")


def _kept(boxes: Tensor, scores: Tensor, threshold: float, on_host: bool) -> Tensor:
    """nms of what is checked, in NumPy if it is on the host, without torch's detours."""
    if threshold < 0:  # where an overlap of 0 and one that is not defined, as of two empty boxes, are not the same
        raise ValueError(f"iou_threshold must be at least 0 without torchvision, got {threshold}")
    if boxes.dtype not in _FLOATS:
        boxes = boxes.float()
    if not on_host:  # torchvision's kernel takes the threshold in float32, whatever the boxes' dtype
        return ptfast_nms(boxes, scores, float(np.float32(min(threshold, 1.0))))
    if boxes.dtype == torch.float32:
        threshold = _rounded_down(threshold)
    scores = scores.detach() if scores.dtype == boxes.dtype else scores.detach().to(boxes.dtype)
    kept, count = nms_arrays("boxes", boxes.detach().numpy(), scores.numpy(), threshold)
    return torch.from_numpy(kept[:count])


def _kept_of_classes(boxes: Tensor, scores: Tensor, idxs: Tensor, threshold: float, on_host: bool) -> Tensor:
    if idxs.shape != scores.shape:
        raise RuntimeError(f"idxs should have shape {tuple(scores.shape)} as scores, got {tuple(idxs.shape)}")
    if boxes.numel() <= _MOST_SHIFTED[boxes.device.type]:
        return _kept(_apart(boxes, idxs, on_host), scores, threshold, on_host)
    order = torch.argsort(idxs, stable=True)
    counts = torch.unique_consecutive(idxs[order], return_counts=True)[1].tolist()
    classes = zip(boxes[order].split(counts), scores[order].split(counts), order.split(counts), strict=True)
    indices = torch.cat([index[_kept(box, score, threshold, on_host)] for box, score, index in classes]).sort().values
    return indices[scores[indices].sort(descending=True).indices]  # equal scores in torchvision's order, whatever it is


def _apart(boxes: Tensor, idxs: Tensor, on_host: bool) -> Tensor:
    """The boxes moved by their class times the largest coordinate and one, in their own precision."""
    if not on_host or boxes.dtype not in _FLOATS:
        return boxes + (idxs.to(boxes.dtype) * (boxes.max() + 1))[:, None]
    array = boxes.numpy()
    with np.errstate(all="ignore"):
        return torch.from_numpy(array + (idxs.to(boxes.dtype).numpy() * (array.max() + 1))[:, None])


@lru_cache(64)
def _rounded_down(threshold: float) -> float:
    """The greatest float32 up to the threshold: torchvision compares float32 overlaps with a float64 threshold."""
    if not 0 < threshold < 1:
        return threshold
    rounded = np.float32(threshold)
    return float(rounded if float(rounded) <= threshold else np.nextafter(rounded, np.float32(0)))
