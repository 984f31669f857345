"""torchvision's RoIAlign and MultiScaleRoIAlign, subclasses of the originals where there are any.

So they pass for them: torchvision's detectors ask isinstance(box_roi_pool, MultiScaleRoIAlign).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor, nn

from ptfast.dropin._originals import StandIn
from ptfast.dropin._torchvision.common import has_kernels, is_recorded, is_transformed, needed, torchvisions
from ptfast.dropin._torchvision.roi_align import check_alike, check_boxes, join, roi_align, suits_torchvision
from ptfast.dropin._torchvision.safety import check_images, is_safe
from ptfast.ops import pyramid_tube_roi_align
from ptfast.ops.roi_align import MAX_SAMPLING_RATIO

torch.fx.wrap("roi_align")  # stays a call in torch.fx's graphs, here too
MOST_LEVELS = 8  # of ptfast.ops.pyramid_tube_roi_align
_RoIAlign: Any = torchvisions("RoIAlign") or nn.Module
_MultiScaleRoIAlign: Any = torchvisions("MultiScaleRoIAlign") or nn.Module


class RoIAlign(_RoIAlign, metaclass=StandIn):
    """roi_align as a module. The arguments are described there. TorchScript compiles torchvision's in its place."""

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int, aligned: bool = False
    ) -> None:
        nn.Module.__init__(self)
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Tensor | list[Tensor]) -> Tensor:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)

    def __prepare_scriptable__(self) -> nn.Module:
        if type(self) is not RoIAlign:
            return self
        settings = self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        return needed("RoIAlign")(*settings).train(self.training)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, aligned={self.aligned})"
        )


@dataclass
class LevelMapper:
    """Chooses a pyramid level for each box: lvl0 for boxes of the area s0 x s0.

    Attributes:
        k_min: -log2 of the finest level's scale.
        k_max: -log2 of the coarsest level's scale.
        s0: Side of a box for lvl0, in pixels.
        lvl0: The level for that size.
        eps: Added to a level before it is rounded down.
    """

    k_min: int
    k_max: int
    s0: float = 224
    lvl0: int = 4
    eps: float = 1e-6

    def __call__(self, boxlists: list[Tensor]) -> Tensor:
        """(K,) int64 levels of all boxes, (L, 4) each: 0 for the finest, -1 where the area is negative or NaN."""
        side = areas(torch.cat(boxlists)).sqrt()
        level = torch.floor(self.lvl0 + torch.log2(side / self.s0) + self.eps).clamp(self.k_min, self.k_max)
        return level.nan_to_num(nan=self.k_min - 1).to(torch.int64) - self.k_min


class MultiScaleRoIAlign(_MultiScaleRoIAlign, metaclass=StandIn):
    """roi_align from the one level of a feature pyramid that suits each box's size.

    Equal to torchvision 0.29's but for the rounding of sums, done by ptfast.ops.pyramid_tube_roi_align in one pass over
    all levels, or level by level where levels do not halve from one to the next or differ in dtype.
    On the CPU, calls of so little work that torchvision is the faster go there, if it is installed, and all others that
    roi_align leaves to it, traces and exports among them. Boxes that are not finite or of no image, and half precision,
    are as in roi_align. TorchScript compiles torchvision's module in place of this one, and leaves it in the model that
    it compiles. In torch.fx's graphs the module is one call.

    Args:
        featmap_names: Names of the feature maps to pool from.
        output_size: Bins, a number or (rows, columns).
        sampling_ratio: Samples a bin along each axis, about one a feature pixel if it is not positive.
        canonical_scale: Pixels, the side of a box for canonical_level.
        canonical_level: The level whose scale is 2^-canonical_level.

    Source:
        Lin et al. 2017 (Feature Pyramid Networks), equation 1.
    """

    def __init__(
        self,
        featmap_names: list[str],
        output_size: int | Sequence[int],
        sampling_ratio: int,
        *,
        canonical_scale: int = 224,
        canonical_level: int = 4,
    ) -> None:
        nn.Module.__init__(self)
        self.featmap_names = featmap_names
        self.sampling_ratio = sampling_ratio
        self.output_size: Any = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        self.scales: Any = None
        self.map_levels: Any = None
        self.canonical_scale = canonical_scale
        self.canonical_level = canonical_level

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        """Pools from each box.

        Args:
            x: (B, C, H, W) of each level by its name, finest first.
            boxes: (L, 4) x1, y1, x2, y2 of each image, in its pixels.
            image_shapes: (height, width) of each image. The largest gives the levels' scales, on the first call.

        Returns:
            (K, C, rows, columns), contiguous. A box of negative area gives zeros where there are several levels.

        Raises:
            ValueError: There are no image shapes, or boxes of more images than features have, on the CPU.
            RuntimeError: The dtypes or devices differ.
        """
        if not torch.compiler.is_compiling() and _holds_proxies(x, boxes):
            scales = self.scales if isinstance(self.map_levels, LevelMapper) else None
            return _pool_traced(x, boxes, image_shapes, scales, *self._settings())
        has_peer = _MultiScaleRoIAlign is not nn.Module
        if has_peer and is_recorded():
            return super().forward(x, boxes, image_shapes)
        maps = [features for name, features in x.items() if name in self.featmap_names]
        if self.scales is None or self.map_levels is None:
            self._set_scales(maps, image_shapes)
        if isinstance(boxes, Tensor):
            raise TypeError("boxes must be a list of tensors, got a tensor")
        rois = join(boxes)
        if len(maps) == 1:
            return roi_align(maps[0], rois, self.output_size, self.scales[0], self.sampling_ratio)
        check_boxes(rois)
        if not self._is_halving(maps) or not has_kernels(rois, *maps):
            return self._level_by_level(maps, boxes, rois)
        if has_peer and not torch.compiler.is_compiling():
            if is_transformed():
                return self._level_by_level(maps, boxes, rois)
            few = suits_torchvision(maps, len(rois), self.output_size, self.sampling_ratio)
            if few and all(is_safe(rois, features, scale) for features, scale in zip(maps, self.scales, strict=True)):
                return super().forward(x, boxes, image_shapes)
        check_alike(maps[0], rois)
        return self._pool(maps, rois)

    def _pool(self, maps: list[Tensor], rois: Tensor) -> Tensor:
        corners = rois[:, 1:]
        try:
            pooled = pyramid_tube_roi_align(
                [features[:, :, None] for features in maps],
                corners.masked_fill((areas(corners) < 0)[:, None], torch.nan)[:, None],  # which makes them give zeros
                rois[:, 0].to(torch.int64),
                output_size=self.output_size,
                spatial_scales=self.scales,
                sampling_ratio=max(0, self.sampling_ratio),
                canonical_size=self.canonical_scale,
                canonical_level=self.canonical_level,
                memory_format="contiguous",
            )
        except ValueError:
            if rois.is_cpu:
                check_images(rois, len(maps[0]))
            raise
        return pooled[:, :, 0]

    def _settings(self) -> tuple[Any, ...]:
        return self.featmap_names, self.output_size, self.sampling_ratio, self.canonical_scale, self.canonical_level

    def __prepare_scriptable__(self) -> nn.Module:
        if type(self) is not MultiScaleRoIAlign:
            return self
        *settings, scale, level = self._settings()
        pool = needed("MultiScaleRoIAlign")(*settings, canonical_scale=scale, canonical_level=level)
        return pool.train(self.training)

    def _set_scales(self, maps: list[Tensor], image_shapes: list[tuple[int, int]]) -> None:
        if not image_shapes:
            raise ValueError("images list should not be empty")
        height = max(shape[0] for shape in image_shapes)
        self.take_scales([2.0 ** round(math.log2(features.shape[-2] / height)) for features in maps])

    def take_scales(self, scales: list[float]) -> None:
        """Fixes the scale of each level, finest first, and the levels of boxes."""
        self.scales = scales
        finest, coarsest = (int(-math.log2(scale)) for scale in (self.scales[0], self.scales[-1]))
        self.map_levels = LevelMapper(finest, coarsest, self.canonical_scale, self.canonical_level)

    def _is_halving(self, maps: list[Tensor]) -> bool:
        first = maps[0]
        return (
            isinstance(self.map_levels, LevelMapper)
            and len(maps) == len(self.scales) <= MOST_LEVELS
            and self._is_usual()
            and all(coarser == finer / 2 for finer, coarser in pairwise(self.scales))
            and all(x.dtype == first.dtype and x.shape[:2] == first.shape[:2] for x in maps)
        )

    def _is_usual(self) -> bool:
        """Tells whether the settings are numbers that make sense; torchvision has errors and results for others."""
        size, numbers = self.output_size, (self.canonical_scale, self.canonical_level)
        return (
            len(size) == 2
            and all(isinstance(number, Integral) for number in (*size, self.sampling_ratio))
            and min(size) > 0
            and self.sampling_ratio <= MAX_SAMPLING_RATIO
            and all(isinstance(number, Real) for number in numbers)
            and self.canonical_scale > 0
        )

    def _level_by_level(self, maps: list[Tensor], boxes: list[Tensor], rois: Tensor) -> Tensor:
        levels = self.map_levels(boxes)
        pooled = maps[0].new_zeros(len(rois), maps[0].shape[1], *self.output_size)
        for level, (features, scale) in enumerate(zip(maps, self.scales, strict=False)):
            chosen = torch.where(levels == level)[0]
            part = roi_align(features, rois[chosen], self.output_size, scale, self.sampling_ratio)
            pooled[chosen] = part.to(pooled.dtype)
        return pooled


def _holds_proxies(x: Any, boxes: Any) -> bool:
    """Tells whether torch.fx traces the call."""
    given = (x, boxes) if isinstance(x, torch.fx.Proxy) or isinstance(boxes, torch.fx.Proxy) else (*x.values(), *boxes)
    return any(isinstance(value, torch.fx.Proxy) for value in given)


@torch.fx.wrap
def _pool_traced(
    x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]], scales: list[float] | None,
    names: list[str], output_size: tuple[int, int], sampling_ratio: int, canonical_scale: int, canonical_level: int,
) -> Tensor:  # fmt: skip
    """What a call of MultiScaleRoIAlign becomes in a graph of torch.fx, which holds no module of ours."""
    canonical = {"canonical_scale": canonical_scale, "canonical_level": canonical_level}
    pool = MultiScaleRoIAlign(names, output_size, sampling_ratio, **canonical)
    if scales is not None:
        pool.take_scales(scales)
    return pool(x, boxes, image_shapes)


def areas(boxes: Tensor) -> Tensor:
    """(K,) of (K, 4), in float32 for half precision."""
    boxes = boxes if boxes.dtype in (torch.float32, torch.float64) else boxes.float()
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
