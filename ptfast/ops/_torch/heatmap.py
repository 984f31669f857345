"""heatmap_peaks, flip_average and heatmap_to_image on torch tensors: schemas, CPU and CUDA calls, fakes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ptfast._check import check_dtype
from ptfast.ops._numpy.heatmap import REFINEMENTS, Convention, image_axes
from ptfast.ops._torch.library import address, addresses, call_cpu, call_cuda, contiguous, define, like

_DTYPES = ("float16", "bfloat16", "float32", "float64")


def _sizes(heatmaps: Tensor) -> tuple[int, int, int]:
    height, width = heatmaps.shape[-2:]
    return heatmaps.numel() // (height * width), height, width


def _results(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    dtype = torch.float64 if heatmaps.dtype == torch.float64 else torch.float32
    maps = heatmaps.shape[:-2]
    return heatmaps.new_empty((*maps, 2), dtype=dtype), heatmaps.new_empty(maps, dtype=dtype)


def _peaks(call: Callable) -> Callable:
    def heatmap_peaks(
        heatmaps: Tensor,  # (..., H, W)
        flipped: Tensor | None,  # (..., K, H, W)
        partners: list[int],  # (K,) or empty
        shift: bool,
        refine: str,
        blur_kernel: int,
    ) -> tuple[Tensor, Tensor]:
        heatmaps, flipped = contiguous(heatmaps, flipped)
        coordinates, scores = _results(heatmaps)
        if scores.numel():
            options = (shift, REFINEMENTS.index(refine), blur_kernel)
            inputs, outputs = addresses((heatmaps, flipped)), addresses((coordinates, scores))
            call("heatmap_peaks", heatmaps, inputs, partners, _sizes(heatmaps), *options, *outputs)
        return coordinates, scores

    return heatmap_peaks


def _average(call: Callable) -> Callable:
    def flip_average(heatmaps: Tensor, flipped: Tensor, partners: list[int], shift: bool) -> Tensor:
        heatmaps, flipped = contiguous(heatmaps, flipped)
        out = heatmaps.new_empty(heatmaps.shape)
        if out.numel():
            inputs = addresses((heatmaps, flipped))
            call("flip_average", heatmaps, inputs, partners, _sizes(heatmaps), shift, address(out))
        return out

    return flip_average


def _fake_peaks(heatmaps: Tensor, *others: object) -> tuple[Tensor, Tensor]:
    return _results(heatmaps)


def _fake_average(heatmaps: Tensor, *others: object) -> Tensor:
    return heatmaps.new_empty(heatmaps.shape)


define(
    "heatmap_peaks(Tensor heatmaps, Tensor? flipped, int[] partners, bool shift, str refine, int blur_kernel)"
    " -> (Tensor, Tensor)",
    cpu=_peaks(call_cpu),
    cuda=_peaks(call_cuda),
    fake=_fake_peaks,
)
define(
    "flip_average(Tensor heatmaps, Tensor flipped, int[] partners, bool shift) -> Tensor",
    cpu=_average(call_cpu),
    cuda=_average(call_cuda),
    fake=_fake_average,
)


def heatmap_peaks(
    heatmaps: Tensor, flipped: Tensor | None, partners: list[int], shift: bool, refine: str, blur_kernel: int
) -> tuple[Tensor, Tensor]:
    """ptfast.ops.heatmap_peaks for tensors, with checked arguments."""
    check_dtype("heatmaps", heatmaps, _DTYPES)
    flipped = None if flipped is None else like(heatmaps, flipped)
    return torch.ops.ptfast.heatmap_peaks(heatmaps.detach(), flipped, partners, shift, refine, blur_kernel)


def flip_average(heatmaps: Tensor, flipped: Tensor, partners: list[int], shift: bool) -> Tensor:
    """ptfast.ops.flip_average for tensors, with checked arguments."""
    check_dtype("heatmaps", heatmaps, _DTYPES)
    return torch.ops.ptfast.flip_average(heatmaps.detach(), like(heatmaps, flipped), partners, shift)


def heatmap_to_image(coordinates: Tensor, boxes: Tensor, height: int, width: int, convention: Convention) -> Tensor:
    """ptfast.ops.heatmap_to_image for tensors, with checked arguments."""
    check_dtype("coordinates", coordinates, ("float32", "float64"))
    return torch.stack(image_axes(coordinates.detach(), like(coordinates, boxes), height, width, convention), -1)
