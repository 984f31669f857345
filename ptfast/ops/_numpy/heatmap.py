"""heatmap_peaks, flip_average and heatmap_to_image on NumPy arrays."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from ptfast import _native
from ptfast._check import Array, as_floats, core_array
from ptfast.ops._numpy.library import addresses

Refinement = Literal["none", "quarter", "taylor"]
Convention = Literal["hrnet", "roi"]
REFINEMENTS = get_args(Refinement)  # in the order of the native enumeration


def heatmap_peak_arrays(
    heatmaps: np.ndarray,
    flipped: np.ndarray | None,
    partners: list[int],
    shift: bool,
    refine: Refinement,
    blur_kernel: int,
) -> tuple[np.ndarray, np.ndarray]:
    """ptfast.ops.heatmap_peaks for arrays whose shapes are already checked.

    Args:
        heatmaps: (..., H, W).
        flipped: (..., K, H, W), or None.
        partners: The joint that each one becomes in the mirrored image, empty without `flipped`.
        shift: As in heatmap_peaks, and so are the others.
        refine: The refinement.
        blur_kernel: Taps of the Gaussian.
    """
    heatmaps, flipped = _maps(heatmaps, flipped)
    scores = np.empty(heatmaps.shape[:-2], np.float64 if heatmaps.dtype == np.float64 else np.float32)
    coordinates = np.empty((*scores.shape, 2), scores.dtype)
    if scores.size:
        sizes = (scores.size, *heatmaps.shape[-2:])
        options = (shift, REFINEMENTS.index(refine), blur_kernel)
        inputs, outputs = addresses((heatmaps, flipped)), addresses((coordinates, scores))
        _native.cpu("heatmap_peaks", heatmaps.dtype)(inputs, partners, sizes, *options, *outputs)
    return coordinates, scores


def flip_average_arrays(heatmaps: np.ndarray, flipped: np.ndarray, partners: list[int], shift: bool) -> np.ndarray:
    """ptfast.ops.flip_average for arrays whose shapes are already checked; partners as in heatmap_peak_arrays."""
    inputs = _maps(heatmaps, flipped)
    out = np.empty_like(inputs[0])
    if out.size:
        height, width = out.shape[-2:]
        sizes = (out.size // (height * width), height, width)
        _native.cpu("flip_average", out.dtype)(addresses(inputs), partners, sizes, shift, _native.address(out))
    return out


def heatmap_to_image_arrays(
    coordinates: np.ndarray, boxes: np.ndarray, height: int, width: int, convention: Convention
) -> np.ndarray:
    """ptfast.ops.heatmap_to_image for arrays whose shapes are already checked."""
    coordinates = as_floats("coordinates", coordinates)
    return np.stack(image_axes(coordinates, np.asarray(boxes, coordinates.dtype), height, width, convention), -1)


def image_axes(coordinates: Array, boxes: Array, height: int, width: int, convention: Convention) -> list[Array]:
    """x and y of heatmap_to_image, (..., K) each, in operators that NumPy and torch share."""
    axes = []
    for axis, cells in enumerate((width, height)):
        low, high, place = boxes[..., None, axis], boxes[..., None, axis + 2], coordinates[..., axis]
        if convention == "roi":
            axes.append(low + (place + 0.5) * ((high - low) / cells))
        else:
            scale = (boxes[..., None, 2] - boxes[..., None, 0]) / width
            axes.append((low + high) * 0.5 + (place - cells * 0.5) * scale)
    return axes


def _maps(heatmaps: np.ndarray, flipped: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Contiguous arrays of one dtype."""
    half = np.asarray(heatmaps).dtype.newbyteorder("=") == np.float16
    heatmaps = core_array(heatmaps, np.float16) if half else as_floats("heatmaps", heatmaps)
    return heatmaps, None if flipped is None else core_array(flipped, heatmaps.dtype)
