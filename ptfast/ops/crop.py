"""Crops of people from video frames, as pose networks take them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ptfast._check import Array, ArrayT, as_floats, check_dtype, check_integer, check_shape, format_shape, is_tensor
from ptfast.ops._numpy.crop import crop_tube_arrays, enlarged

_MAX_SIDE = 32767  # pixels along a side of a crop


def crop_tubes(
    frames: ArrayT,
    tubes: Array,
    frame_index: Array,
    *,
    size: tuple[int, int],
    mean: Sequence[float],
    std: Sequence[float],
    unbiased: bool = False,
) -> ArrayT:
    """Cuts every box of every tube out of its frame, resizes it and normalises it to (value / 255 - mean) / std.

    A pixel's centre is at integer coordinates. The box's centre comes to (w / 2, h / 2) of the crop, its width to w and
    its height to h, so output pixel (i, j) is at (x1 + i * width / w, y1 + j * height / h). For a box of the crop's
    aspect (see box_to_crop) this is HRNet's affine. A box of another aspect is stretched. Pixels are interpolated
    bilinearly, and outside the frame they are 0 before the normalisation, as in cv2.warpAffine. Boxes larger than the
    crop are not smoothed. A box that is empty or not finite gives a black crop.

    Args:
        frames: (F, H, W, 3) RGB, uint8, or float32 or float64 of the same range, 0 to 255. NumPy arrays or torch
            tensors, as the next two.
        tubes: (M, T, 4) boxes x1, y1, x2, y2 in pixels.
        frame_index: (M, T) int64, the frame of each box.
        size: (height, width) of the crops, (h, w).
        mean: Three numbers, per channel, in units of 255. ImageNet's are (0.485, 0.456, 0.406).
        std: Three numbers, likewise. ImageNet's are (0.229, 0.224, 0.225).
        unbiased: Bring the box's centre to ((w - 1) / 2, (h - 1) / 2), its width to w - 1 and its height to h - 1, so
            that the centres of the crop's corner pixels lie on the box's corners.

    Returns:
        (M, 3, T, h, w) contiguous, float64 for float64 frames, else float32. In torch it is differentiable with respect
        to the frames, and the gradient has the same bits every time.

    Raises:
        ValueError: A shape or size is wrong, std is not positive, or, on the CPU, a frame index is outside the frames.
            On a GPU, where a check would wait for the device, the crop of such an index is black.
        TypeError: A dtype is not one of those above.

    Source:
        Sun et al. 2019 (HRNet), section 4.1, and its public code; Huang et al. 2020 (UDP), section 3, for `unbiased`.
    """
    check_shape("frames", frames, ("F", "H", "W", 3))
    check_shape("tubes", tubes, ("M", "T", 4))
    check_shape("frame_index", frame_index, tuple(tubes.shape[:2]))
    check_dtype("frames", frames, ("uint8", "float32", "float64"))
    check_dtype("frame_index", frame_index, ("int64", "int32"))
    height, width = (check_integer(f"size[{i}]", side, 1, _MAX_SIDE) for i, side in enumerate(size))
    colours = _colours(mean, std)
    if is_tensor(frames):
        from ptfast.ops._torch.crop import crop_tubes as on_tensors

        return on_tensors(frames, tubes, frame_index, height, width, colours, bool(unbiased))
    return crop_tube_arrays(frames, tubes, frame_index, height, width, colours, bool(unbiased))


def box_to_crop(boxes: ArrayT, *, aspect: float, scale: float = 1.25) -> ArrayT:
    """Part of the image to crop for each box: its shorter side widened to `aspect`, then both enlarged by `scale`.

    The centre stays. A side is the shorter one if it falls short of the aspect: the width where it is less than
    aspect * height, else the height.

    Args:
        boxes: (..., 4) x1, y1, x2, y2 in pixels, float32 or float64, a NumPy array or torch tensor.
        aspect: Width / height of the network's input, e.g. 192 / 256.
        scale: Enlargement of both sides. 1.25 is HRNet's, and the 25 % along both dimensions of 3D HRNet's tubes.

    Returns:
        (..., 4) of the same dtype; in torch, detached.

    Raises:
        ValueError: The shape is wrong, or aspect or scale is not positive.
        TypeError: The dtype is neither float32 nor float64.

    Source:
        Sun et al. 2019 (HRNet), section 4.1; Wang et al. 2020 (3D HRNet), section 3.1.
    """
    check_shape("boxes", boxes, ("...", 4))
    for name, value in (("aspect", aspect), ("scale", scale)):
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")
    if is_tensor(boxes):
        from ptfast.ops._torch.crop import box_to_crop as on_tensor

        return on_tensor(boxes, aspect, scale)
    return enlarged(np, as_floats("boxes", boxes), aspect, scale)


def _colours(mean: Sequence[float], std: Sequence[float]) -> list[float]:
    """Mean, then standard deviation, as the native functions take them."""
    numbers = []
    for name, values in (("mean", mean), ("std", std)):
        if np.shape(values) != (3,):
            raise ValueError(f"{name} must have 3 numbers, one a channel, got {values}")
        numbers += [float(value) for value in values]
    if not all([-math.inf < number < math.inf for number in numbers[:3]]):
        raise ValueError(f"mean must be finite, got {format_shape(tuple(numbers[:3]))}")
    if not all([0 < number < math.inf for number in numbers[3:]]):
        raise ValueError(f"std must be positive and finite, got {format_shape(tuple(numbers[3:]))}")
    return numbers
