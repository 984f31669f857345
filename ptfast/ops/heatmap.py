"""Decoding of heatmaps: peaks with sub-pixel refinement, averages with the mirrored image's, and the way back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from ptfast._check import Array, ArrayT, check_integer, check_shape, is_tensor
from ptfast.ops._numpy.heatmap import (
    REFINEMENTS,
    Convention,
    Refinement,
    flip_average_arrays,
    heatmap_peak_arrays,
    heatmap_to_image_arrays,
)

Pairs = Iterable[tuple[int, int]]
MAX_JOINTS = 512
MAX_BLUR = 31


def heatmap_peaks(
    heatmaps: ArrayT,
    *,
    refine: Refinement = "none",
    blur_kernel: int = 11,
    flipped: Array | None = None,
    flip_pairs: Pairs | None = None,
    shift: bool = True,
) -> tuple[ArrayT, ArrayT]:
    """Peak of every heatmap and its value, in one pass over the maps.

    A peak is the highest value, the first one in row order where several are equal. NaN is never a peak, and a map of
    nothing else has the score NaN at (0, 0). Maps without a positive value keep their highest pixel and its value,
    unrefined (HRNet's code moves those to (0, 0)).

    Where the score is positive and the peak is far enough inside, `refine` moves it:

    - "quarter", HRNet's: by a quarter of a pixel on each axis, towards the higher of the two neighbours, and not at all
      where they are equal or one is NaN. Inside means 2 <= x <= W - 2 and 2 <= y <= H - 2.
    - "taylor", DARK's: the map is blurred with a Gaussian of `blur_kernel` taps, zeros around it, scaled to the map's
      own maximum, raised to 1e-10 and turned into its logarithm, and the peak p moves by -H^-1 g, with the gradient g
      and the Hessian H of central differences at p. Inside means 2 <= x <= W - 3 and 2 <= y <= H - 3. As in DARK's
      code the offset is not limited, and left out where it is not finite. Computed in float64. Only the surroundings of
      the peak are blurred, because scaling adds a constant to the logarithm, which differences do not see. Where one of
      the 13 blurred pixels lies below 1e-10, the whole map is blurred for the scale. So the result is DARK's.

    With `flipped`, the peaks are those of flip_average(heatmaps, flipped, flip_pairs, shift), to the bit, without
    writing it.

    Args:
        heatmaps: (..., H, W) float16, float32 or float64, in torch also bfloat16. Joints are ordinary dimensions. Maps
            that are not contiguous are copied first.
        refine: "none", "quarter" or "taylor".
        blur_kernel: Odd, from 3 to 31, for "taylor" alone. DARK's configurations take 11, and 3 for images of 128x96.
            Weights are OpenCV's: fixed fractions up to 7, from 9 on a Gaussian of
            sigma = 0.3 ((blur_kernel - 1) / 2 - 1) + 0.8 (the newest OpenCV has fixed fractions for 9 as well).
        flipped: (..., K, H, W) maps of the mirrored images.
        flip_pairs: The joints that swap in a mirrored image, as in Skeleton.flip_pairs.
        shift: As in flip_average.

    Returns:
        Coordinates (..., 2) as (x, y) in heatmap pixels, pixel centres at integers, and scores (...): float64 for
        float64, else float32. In torch, on the maps' device and detached.

    Raises:
        ValueError: A shape or an option is wrong, or flip_pairs name a joint twice or one that is not there.
        TypeError: A dtype is wrong.

    Source:
        Sun et al. 2019 (HRNet), the public decoder, for "quarter"; Zhang et al. 2020 (DARK), section 3.1, for "taylor".
    """
    check_shape("heatmaps", heatmaps, ("...", "H", "W"))
    if 0 in heatmaps.shape[-2:]:
        raise ValueError(f"heatmaps must have pixels, got shape {tuple(heatmaps.shape)}")
    if refine not in REFINEMENTS:
        raise ValueError(f'refine must be "none", "quarter" or "taylor", got {refine!r}')
    blur_kernel = check_integer("blur_kernel", blur_kernel, 3, MAX_BLUR)
    if blur_kernel % 2 == 0:
        raise ValueError(f"blur_kernel must be odd, got {blur_kernel}")
    if (flipped is None) != (flip_pairs is None):
        raise ValueError("flipped and flip_pairs must be given together")
    partners = [] if flipped is None or flip_pairs is None else _partners(heatmaps, flipped, flip_pairs)
    if is_tensor(heatmaps):
        from ptfast.ops._torch.heatmap import heatmap_peaks as on_tensors

        return on_tensors(heatmaps, flipped, partners, shift, refine, blur_kernel)
    return heatmap_peak_arrays(heatmaps, flipped, partners, shift, refine, blur_kernel)


def flip_average(heatmaps: ArrayT, flipped: Array, flip_pairs: Pairs, shift: bool = True) -> ArrayT:
    """Mean of heatmaps and those of the mirrored image, turned back.

    Turning back reverses x and swaps the joints of each pair. With `shift`, the result also moves one column to the
    right, where its first column stays as well: a network whose stride is 4 sees a mirrored image one heatmap pixel
    away, as HRNet's test code allows for. heatmap_peaks decodes the mean without writing it.

    Args:
        heatmaps: (..., K, H, W) float16, float32 or float64, in torch also bfloat16, of at most 512 joints.
        flipped: (..., K, H, W) of the mirrored images, taken in heatmaps' dtype.
        flip_pairs: The joints that swap in a mirrored image, as in Skeleton.flip_pairs.
        shift: Move the turned maps one column to the right.

    Returns:
        (..., K, H, W) of heatmaps' dtype, half the sum, rounded once. In torch, detached.

    Raises:
        ValueError: A shape is wrong, or flip_pairs name a joint twice or one that is not there.
        TypeError: A dtype is wrong.
    """
    check_shape("heatmaps", heatmaps, ("...", "K", "H", "W"))
    partners = _partners(heatmaps, flipped, flip_pairs)
    if is_tensor(heatmaps):
        from ptfast.ops._torch.heatmap import flip_average as on_tensors

        return on_tensors(heatmaps, flipped, partners, shift)
    return flip_average_arrays(heatmaps, flipped, partners, shift)


def heatmap_to_image(
    coordinates: ArrayT, boxes: Array, *, heatmap_size: tuple[int, int], convention: Convention = "hrnet"
) -> ArrayT:
    """Maps coordinates in heatmaps back to the image, through the boxes that the heatmaps were made of.

    With w, h the heatmap's and bw, bh the box's width and height:

    - "hrnet", the inverse of crop_tubes: the box's centre is the heatmap's (w / 2, h / 2), and both axes have the
      scale bw / w. It is meant for boxes of the crop's aspect, as box_to_crop makes them.
    - "roi", that of Mask R-CNN and Detect-and-Track for maps of a region of interest: x1 + (x + 0.5) bw / w, and
      y1 + (y + 0.5) bh / h.

    Args:
        coordinates: (..., K, 2) as (x, y) float32 or float64, such as heatmap_peaks gives.
        boxes: (..., 4) xyxy, image pixels, taken in the dtype of coordinates.
        heatmap_size: (height, width).
        convention: "hrnet" or "roi".

    Returns:
        (..., K, 2) image pixels; in torch, detached.

    Raises:
        ValueError: A shape, a size or the convention is wrong.
        TypeError: A dtype is neither float32 nor float64.

    Source:
        Sun et al. 2019 (HRNet), the public decoder; He et al. 2017 (Mask R-CNN), as torchvision decodes keypoints.
    """
    check_shape("coordinates", coordinates, ("...", "K", 2))
    check_shape("boxes", boxes, (*coordinates.shape[:-2], 4))
    height, width = (check_integer("heatmap_size", size, 1) for size in heatmap_size)
    if convention not in get_args(Convention):
        raise ValueError(f'convention must be "hrnet" or "roi", got {convention!r}')
    if is_tensor(coordinates):
        from ptfast.ops._torch.heatmap import heatmap_to_image as on_tensors

        return on_tensors(coordinates, boxes, height, width, convention)
    return heatmap_to_image_arrays(coordinates, boxes, height, width, convention)


def _partners(heatmaps: Array, flipped: Array, flip_pairs: Pairs) -> list[int]:
    """Joint that each one becomes in the mirrored image. Checks the three arguments against each other."""
    check_shape("heatmaps", heatmaps, ("...", "K", "H", "W"))
    check_shape("flipped", flipped, tuple(heatmaps.shape))
    joints = int(heatmaps.shape[-3])
    if joints > MAX_JOINTS:
        raise ValueError(f"heatmaps may have at most {MAX_JOINTS} joints beside flipped ones, got {joints}")
    partners = list(range(joints))
    for pair in flip_pairs:
        a, b = (check_integer("flip_pairs", joint, 0, joints - 1) for joint in pair)
        if a == b or partners[a] != a or partners[b] != b:
            raise ValueError(f"flip_pairs must name each joint at most once, got one again in ({a}, {b})")
        partners[a], partners[b] = b, a
    return partners
