"""Linking of a video's poses: columns in, track ids out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from ptfast import _native
from ptfast._check import Array, check_finite, check_integer, check_offsets, check_shape, check_threshold
from ptfast._columns import contiguous, like, namespace_of, on_host
from ptfast.ops.assignment import Matcher

MAX_POSES: int = _native.core.assign_cuda_max  # of a frame that is linked on a GPU
HORIZON = 4  # frames over which a velocity is carried on
MIN_AREA_SHARE = 1 / 3  # of the square of a box's longer side

Motion = Literal["none", "velocity"]
BuiltInCost = Literal["oks", "iou", "pckh"]
RowCosts = Callable[[int, list[int], list[float], int, list[int]], Sequence[float]]


class PoseColumns(NamedTuple):
    """Columns that linking reads of N poses of K joints: NumPy arrays, or torch tensors of one device.

    Attributes:
        keypoints: (N, K, 2) float32 pixels.
        visibility: (N, K) uint8, 0 where a joint does not count.
        boxes: (N, 4) float32 xyxy pixels.
        areas: (N,) float32 square pixels, or None for those of the boxes; "oks" reads them.
        head_sizes: (N,) float32 pixels; "pckh" reads them, and for other costs they may be None.
    """

    keypoints: Array
    visibility: Array
    boxes: Array
    areas: Array | None = None
    head_sizes: Array | None = None


@dataclass(frozen=True)
class LinkOptions:
    """Options of `link_columns`.

    Attributes:
        cost: "oks", "iou" or "pckh", as in `ptfast.link`; or a function that is given the number of an earlier frame,
            rows in it, their shifts (x and y of each row by turns, or empty where they rest), the number of the current
            frame and rows in it, and returns the costs of all pairs, earlier row by earlier row.
        matcher: "hungarian" (least total cost) or "greedy" (lowest cost first).
        lookback: Number of frames back that a predecessor may be, at least 1.
        motion: "velocity" or "none", as in `ptfast.link`.
        max_cost: Pairs that cost more are never made; None allows every pair.
        max_tracks: Number of poses in a frame that get an id, at most; None for all.

    Raises:
        ValueError: An option is out of range.
    """

    cost: BuiltInCost | RowCosts = "oks"
    matcher: Matcher = "hungarian"
    lookback: int = 1
    motion: Motion = "none"
    max_cost: float | None = None
    max_tracks: int | None = None

    def __post_init__(self) -> None:
        if not callable(self.cost) and self.cost not in ("oks", "iou", "pckh"):
            raise ValueError(f"cost must be 'oks', 'iou', 'pckh' or a function, got {self.cost!r}")
        if self.matcher not in ("hungarian", "greedy"):
            raise ValueError(f"matcher must be 'hungarian' or 'greedy', got {self.matcher!r}")
        if self.motion not in ("none", "velocity"):
            raise ValueError(f"motion must be 'none' or 'velocity', got {self.motion!r}")
        object.__setattr__(self, "lookback", check_integer("lookback", self.lookback, 1))
        check_threshold("max_cost", self.max_cost)
        if self.max_tracks is not None:
            object.__setattr__(self, "max_tracks", check_integer("max_tracks", self.max_tracks, 1))

    @property
    def limit(self) -> float:
        """max_cost, infinite for None."""
        return math.inf if self.max_cost is None else self.max_cost

    def native(self, sigmas: Sequence[float]) -> tuple[Any, RowCosts | None]:
        """The native core's options, and the cost where it is a function."""
        options = _native.core.LinkOptions(
            cost="callable" if callable(self.cost) else self.cost,
            greedy=self.matcher == "greedy",
            velocity=self.motion == "velocity",
            lookback=self.lookback,
            horizon=HORIZON,
            max_cost=self.limit,
            joints=len(sigmas),
            sigmas=list(sigmas),
            max_tracks=np.iinfo(np.int64).max if self.max_tracks is None else self.max_tracks,
        )
        return options, self.cost if callable(self.cost) else None


def link_columns(
    columns: PoseColumns, frame_offsets: np.ndarray, sigmas: Sequence[float], options: LinkOptions
) -> Array:
    """Gives every pose of a video a track id: `ptfast.link` after its filters, on columns.

    Tensors on a GPU are linked there where motion="none", the cost is no function and no frame holds more than
    MAX_POSES poses; else on the host.

    Args:
        columns: The poses' columns.
        frame_offsets: (F + 1,) int64 on the host: frame f holds the rows frame_offsets[f] to frame_offsets[f + 1].
        sigmas: K OKS sigmas.
        options: Cost, matching and limits.

    Returns:
        (N,) int64 ids from 0, -1 where max_tracks leaves no room; of the columns' kind and on their device.

    Raises:
        ValueError: A shape or frame_offsets is wrong; a box, an area, or a joint that counts is NaN or infinite; or
            "pckh" has no head sizes.
    """
    offsets = _checked_offsets(columns, frame_offsets, sigmas, options)
    ready = prepare(columns)
    if runs_on_gpu(columns, offsets, options):
        from ptfast.ops._torch.linking import link_on_gpu

        return link_on_gpu(
            ready,
            offsets,
            sigmas,
            cost=str(options.cost),
            greedy=options.matcher == "greedy",
            lookback=options.lookback,
            max_cost=options.limit,
            max_tracks=options.max_tracks,
        )
    return like(columns.keypoints, _link_arrays([on_host(column) for column in ready], offsets, sigmas, options))


def prepare(columns: PoseColumns) -> list[Array]:
    """Five columns as the native core reads them, contiguous, the areas widened for OKS between frames.

    Raises:
        ValueError: A box, an area, or a joint that counts is NaN or infinite.
    """
    dtypes = ("float32", "uint8", "float32", "float32", "float32")
    cast = PoseColumns(*(None if c is None else contiguous(c, dtype) for c, dtype in zip(columns, dtypes, strict=True)))
    _check_finite(cast)
    areas = _link_areas(cast.boxes, cast.areas)
    head_sizes = areas if cast.head_sizes is None else cast.head_sizes  # the core copies them whatever the cost
    return [cast.keypoints, cast.visibility, cast.boxes, areas, head_sizes]


def runs_on_gpu(columns: PoseColumns, frame_offsets: np.ndarray, options: LinkOptions) -> bool:
    """Says whether `link_columns` runs on the GPU: frames in parallel, no function, no frame too large for a warp."""
    parallel = options.motion == "none" and not callable(options.cost)
    on_gpu = _native.with_cuda and getattr(columns.keypoints, "is_cuda", False)
    return on_gpu and parallel and np.diff(frame_offsets).max(initial=0) <= MAX_POSES


def _link_arrays(
    columns: Sequence[np.ndarray], frame_offsets: np.ndarray, sigmas: Sequence[float], options: LinkOptions
) -> np.ndarray:
    """link_columns of prepared NumPy columns."""
    ids = np.empty(len(columns[0]), np.int64)
    _native.core.link_video(
        [_native.address(column) for column in columns],
        frame_offsets,
        *options.native(sigmas),
        ids,
    )
    return ids


def _checked_offsets(
    columns: PoseColumns, frame_offsets: np.ndarray, sigmas: Sequence[float], options: LinkOptions
) -> np.ndarray:
    """The offsets as the native core reads them. Raises ValueError where an argument does not fit the others."""
    check_shape("keypoints", columns.keypoints, ("N", "K", 2))
    n, k = columns.keypoints.shape[:2]
    check_shape("visibility", columns.visibility, ("N", "K"), N=n, K=k)
    check_shape("boxes", columns.boxes, ("N", 4), N=n)
    for name, column in (("areas", columns.areas), ("head_sizes", columns.head_sizes)):
        if column is not None:
            check_shape(name, column, ("N",), N=n)
    offsets = check_offsets("frame_offsets", frame_offsets, n, "poses", length="F + 1")
    if len(sigmas) != k:
        raise ValueError(f"sigmas must have one entry for each of {k} joints, got {len(sigmas)}")
    if options.cost == "pckh" and columns.head_sizes is None:
        raise ValueError("head_sizes must be given for cost 'pckh', got None")
    return offsets


def _check_finite(columns: PoseColumns) -> None:
    if _sum_is_finite(columns.keypoints, columns.boxes, columns.areas):
        return
    counted = columns.keypoints[columns.visibility > 0]  # hidden joints may hold anything
    if _sum_is_finite(counted, columns.boxes, columns.areas):
        return
    keypoints, visibility, boxes = (on_host(column) for column in columns[:3])
    check_finite("keypoints", np.where(visibility[..., None] > 0, keypoints, 0))
    check_finite("boxes", boxes)
    if columns.areas is not None:
        check_finite("areas", on_host(columns.areas))


def _sum_is_finite(*columns: Array | None) -> bool:
    """True only if all numbers are finite: a sum needs no memory, and a GPU is waited for once."""
    with np.errstate(over="ignore", invalid="ignore"):
        return math.isfinite(sum(column.sum() for column in columns if column is not None))


def _link_areas(boxes: Array, areas: Array | None) -> Array:
    """(N,) areas for OKS between frames: a person seen in part, or joints in a line, would else tolerate no motion."""
    maximum = namespace_of(boxes).maximum
    size = boxes[:, 2:] - boxes[:, :2]
    longer = maximum(size[:, 0], size[:, 1])
    return maximum(size[:, 0] * size[:, 1] if areas is None else areas, MIN_AREA_SHARE * longer * longer)
