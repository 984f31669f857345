"""torchvision's roi_align, and the parts of it that its modules need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from ptfast._check import check_shape
from ptfast.dropin._torchvision.common import (
    dtype_name,
    has_kernels,
    is_autocast,
    is_eager,
    is_recorded,
    is_transformed,
    scripted_as_torchvisions,
    torchvisions,
)
from ptfast.dropin._torchvision.safety import check_images, is_safe, pool_safely
from ptfast.ops import tube_roi_align
from ptfast.ops.roi_align import MAX_SAMPLING_RATIO

_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@torch.fx.wrap
@scripted_as_torchvisions
def roi_align(
    input: Tensor,
    boxes: Tensor | Sequence[Tensor],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Pools a grid of features from each box (RoIAlign).

    Equal to torchvision 0.29's but for the rounding of sums, done by ptfast.ops.tube_roi_align, which says what a bin
    is. On the CPU, calls of so little work that torchvision is the faster go there, if it is installed. So do traces,
    exports, TorchScript, torch.func's transforms, quantised tensors, more than 4096 samples, and boxes that need a
    gradient (which they do not get) where features need none. Traces and exports hold torchvision's operations alone.

    Two things differ. Half precision is summed up in float32, and bfloat16 is taken, too. And a box that is not finite
    gives zeros, and on the CPU a box of no image is an error, whoever does the work: torchvision by itself may read
    memory that is not its own, and end the process.

    Args:
        input: (B, C, H, W) floats.
        boxes: (K, 5) of the input's dtype, the index of the image, x1, y1, x2, y2; or for each image (L, 4).
        output_size: Bins, a number or (rows, columns).
        spatial_scale: Feature pixels a pixel of the boxes.
        sampling_ratio: Samples a bin along each axis, about one a feature pixel if it is not positive.
        aligned: Shifts boxes by half a feature pixel.

    Returns:
        (K, C, rows, columns), contiguous, of the input's dtype; differentiable with respect to the input.

    Raises:
        AssertionError: boxes are neither a tensor (K, 5) nor a list of tensors (L, 4).
        RuntimeError: The dtypes or devices differ, or the dtype is none of floats.
        ValueError: The index of an image is out of range, on the CPU.

    Source:
        He et al. 2017 (Mask R-CNN), section 3.
    """
    peer = torchvisions("roi_align", not torch.compiler.is_compiling())
    if peer and is_recorded():
        return peer(input, boxes, output_size, spatial_scale, sampling_ratio, aligned)
    check_boxes(boxes)
    rois = boxes if isinstance(boxes, Tensor) else join(boxes)
    size = tuple(output_size) if isinstance(output_size, Iterable) else (output_size, output_size)
    settings = (size[0], size[1]), _as_number(spatial_scale), _as_number(sampling_ratio), aligned
    if peer and not torch.compiler.is_compiling():
        if not _are_numbers(*settings[:3]):
            return peer(input, rois, *settings)  # which is an error
        if _is_odd(input, rois, settings[2]):
            return pool_safely(peer, input, rois, *settings)
        few = input.dim() == 4 and suits_torchvision([input], len(rois), settings[0], settings[2])
        if few and is_safe(rois, input, settings[1]):
            return peer(input, rois, *settings)
    return _pool(input, rois, *settings)


def _as_number(value: float | Tensor) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def _are_numbers(size: Sequence[Any], scale: Any, sampling_ratio: Any) -> bool:
    rows, columns = size
    if type(scale) is float and type(rows) is type(columns) is type(sampling_ratio) is int:
        return True  # as nearly always, in less time than abstract classes take
    return isinstance(scale, Real) and all(isinstance(x, Integral) for x in (rows, columns, sampling_ratio))


def _is_odd(features: Tensor, rois: Tensor, sampling_ratio: int) -> bool:
    """Tells whether ptfast has no kernel for a call, or torchvision's result carries more than numbers."""
    return (
        features.dim() < 4
        or sampling_ratio > MAX_SAMPLING_RATIO
        or (rois.requires_grad and not features.requires_grad)
        or not has_kernels(features, rois)
        or is_transformed()
    )


def _pool(
    features: Tensor, rois: Tensor, size: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool
) -> Tensor:
    """(K, C, rows, columns) by ptfast."""
    check_shape("input", features, ("B", "C", "H", "W"))
    check_alike(features, rois)
    if min(size) < 1:
        return features.new_zeros(len(rois), features.size(1), *size)
    try:
        pooled = tube_roi_align(
            features[:, :, None],
            rois[:, None, 1:] if scale >= 0 else -rois[:, None, 1:],
            rois[:, 0].to(torch.int64),
            output_size=size,
            spatial_scale=abs(scale),
            sampling_ratio=max(0, sampling_ratio),
            aligned=bool(aligned),
            memory_format="contiguous",
        )
    except ValueError:
        if rois.is_cpu:
            check_images(rois, len(features))
        raise
    return pooled[:, :, 0]


def check_boxes(boxes: object) -> None:
    """Raises AssertionError unless boxes are (K, 5) or a list of (L, 4)."""
    if isinstance(boxes, Tensor):
        if boxes.size(1) != 5:
            raise AssertionError("The boxes tensor shape is not correct as Tensor[K, 5]")
    elif not isinstance(boxes, list | tuple):
        raise AssertionError("boxes is expected to be a Tensor[L, 5] or a List[Tensor[K, 4]]")
    elif any(box.size(1) != 4 for box in boxes):
        raise AssertionError("The shape of the tensor in the boxes list is not correct as List[Tensor[L, 4]]")


def join(boxes: Sequence[Tensor]) -> Tensor:
    """(K, 5) of a list of (L, 4): each box behind its place in the list."""
    return torch.cat([torch.nn.functional.pad(box, (1, 0), value=image) for image, box in enumerate(boxes)])


def check_alike(features: Tensor, boxes: Tensor) -> None:
    """Raises unless dtypes and devices fit each other."""
    if boxes.device != features.device:
        raise RuntimeError(f"input and rois must be on one device, got {features.device} and {boxes.device}")
    if features.dtype not in _FLOATS:
        raise RuntimeError(f"\"roi_align_forward_kernel\" not implemented for '{dtype_name(features)}'")
    if features.dtype == boxes.dtype:
        return
    if is_autocast(features) and boxes.is_floating_point() and torch.float64 not in (features.dtype, boxes.dtype):
        return
    raise RuntimeError(
        "Expected tensor for argument #1 'input' to have the same type as tensor for argument #2 'rois'; but type "
        f"{features.type()} does not equal {boxes.type()} (while checking arguments for roi_align_forward_kernel)"
    )


def suits_torchvision(
    features: Sequence[Tensor], count: int, output_size: tuple[int, int], sampling_ratio: int
) -> bool:
    """Tells whether torchvision pools so many boxes in less time than ptfast.

    On the CPU torchvision takes about 3.3 ns for each sample of each channel. In that unit a call of ptfast's takes
    40,000, a box 1,000, and five features that it must first put in order, channels last, take 1.
    """
    first = features[0]
    if first.is_cuda or first.dtype in (torch.float16, torch.bfloat16) or not is_eager(first):
        return False
    (images, channels, height, width), (rows, columns) = first.shape, output_size
    samples = sampling_ratio**2
    if sampling_ratio <= 0:  # boxes are not looked at: they may well be a quarter as long as the map
        samples = -(-height // (4 * max(1, rows))) * -(-width // (4 * max(1, columns)))
    work, own = count * channels * rows * columns * samples, 40_000 + 1_000 * count
    if work < own or first.stride(1) == 1:
        return work < own
    moved = sum(x.shape[2] * x.shape[3] for x in features) * min(images, count)
    return work < own + channels * moved / 5
