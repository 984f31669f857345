"""Offsets, counts and sizes that lie, and arrays that lie askew in memory: an error or the right result, no crash."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from ptfast import _native, ops
from ptfast._check import check_offsets, core_array
from ptfast.ops.clear import clear_match
from ptfast.ops.linking import LinkOptions, PoseColumns, link_columns
from ptfast.ops.ranking import rank_scores
from ptfast.tracking.mean_shift import mean_shift
from ptfast.tracking.shortest_path import cheapest_path

HUGE = 2**62
# Whose neighbours differ by something positive after 64 bits wrap around, and that end with the number of rows, 2.
WRAPPING = [0, HUGE, 2**63 - 1, -(2**63), -HUGE, 2]
WRONG = {
    "wrapping": np.array(WRAPPING),
    "unsigned": np.array([0, 2**64 - 1, 2], np.uint64),
    "falling": np.array([0, 2, 1, 2]),
    "negative": np.array([-1, 2]),
    "short": np.array([0, 1]),
    "long": np.array([0, 3]),
    "empty": np.zeros(0, np.int64),
    "nested": np.array([[0, 2]]),
    "fractional": np.array([0.0, 0.5, 2.0]),
    "nan": np.array([0.0, np.nan, 2.0]),
}
SCORES, PLACES = np.array([0.5, 0.25]), np.zeros((2, 2))
BOXES = np.array([[0, 0, 9, 9], [1, 1, 8, 8]], np.float32)
POSES = PoseColumns(np.zeros((2, 1, 2), np.float32), np.ones((2, 1), np.uint8), BOXES)


def match(offsets: Any, **changed: Any) -> Any:
    good = {"object_offsets": np.array([0, 2]), "hypothesis_offsets": np.array([0, 2])}
    return clear_match(np.zeros((4, 1)), np.arange(2), np.arange(2), **{**good, **changed})


TAKERS: dict[str, Callable[[Any], Any]] = {
    "check_offsets": lambda offsets: check_offsets("offsets", offsets, 2),
    "rank_scores": lambda offsets: rank_scores(SCORES, offsets),
    "clear_match, objects": lambda offsets: match(offsets, object_offsets=offsets),
    "clear_match, hypotheses": lambda offsets: match(offsets, hypothesis_offsets=offsets),
    "clear_match, sequences": lambda offsets: match(
        offsets, object_offsets=np.array([0, 1, 2]), hypothesis_offsets=np.array([0, 1, 2]), sequence_offsets=offsets
    ),
    "link": lambda offsets: link_columns(POSES, offsets, [0.1], LinkOptions()),
    "mean_shift": lambda offsets: mean_shift(PLACES, 1.0, offsets=offsets),
    "cheapest_path": lambda offsets: cheapest_path(PLACES, offsets),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("taker", TAKERS)
def test_wrong_offsets_are_named(taker: str, kind: str) -> None:
    with pytest.raises((ValueError, TypeError), match="offsets"):
        TAKERS[taker](WRONG[kind])


@pytest.mark.parametrize("kind", ["wrapping", "falling", "negative", "short", "long", "empty"])
def test_the_core_checks_offsets_itself(kind: str) -> None:
    core, offsets = _native.core, np.ascontiguousarray(WRONG[kind], np.int64)
    good, rows, k = np.array([0, 2]), np.arange(2), 1
    ids, columns = np.full(2, -1), [_native.address(column) for column in (*POSES[:3], BOXES[:, 0].copy(), SCORES)]
    out = [np.zeros((2, k), np.int64), np.zeros((2, k), np.uint8), np.zeros((1, k, 7), np.int64), np.zeros((1, k, 2))]
    with pytest.raises(ValueError, match="must rise from 0 to 2"):
        core.rank_scores_cpu(SCORES, offsets, np.empty(2, np.int64))
    with pytest.raises(ValueError, match="must rise from 0 to 2"):
        core.hand_down_ids(offsets, 5, ids)
    with pytest.raises(ValueError, match="must rise from 0 to 2"):
        core.link_video(columns, offsets, *LinkOptions().native([0.1]), ids)
    for i in range(3):
        ends = [good, good, np.array([0, 2, 4])]
        ends[i] = offsets
        inputs = [np.zeros((4, k)), np.array([0, 1, 0, 1]), rows, rows, *ends, np.array([0, 1]), None, None]
        with pytest.raises(ValueError, match=r"must rise from 0 to|must hold"):
            core.clear_match_cpu(inputs, k, out)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([4], [HUGE], r"rows \* columns must not be negative and must fit 64 bits, got 4 x 4611686018427387904"),
        ([HUGE] * 4, [0] * 4, "rows must not be negative and must fit 64 bits"),
        ([2**32], [2**32], r"rows \* columns must not be negative and must fit 64 bits"),
        ([HUGE], [1], "flat_costs must hold"),
        ([1], [-1], "columns must be at least 0, got -1"),
    ],
)
def test_counts_whose_product_or_sum_wraps_are_named(rows: list[int], columns: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ops.assign_ragged(np.zeros(0), np.array(rows), np.array(columns))


def test_a_cost_function_of_too_many_costs_is_named() -> None:
    with pytest.raises(ValueError, match="costs must hold 1 entries, got 1000"):
        link_columns(POSES, np.array([0, 1, 2]), [0.1], LinkOptions(cost=lambda *_: [0.0] * 1000))


def test_the_core_checks_sizes_against_arrays() -> None:
    solve, costs = _native.core.assign_cpu_float64, np.zeros((2, 2))
    for sizes, out in (((1, 2, 3), np.empty(2, np.int64)), ((1, 2, 2), np.empty(1, np.int64))):
        with pytest.raises(ValueError, match="must hold"):
            solve(costs, sizes, np.inf, False, out)
    with pytest.raises(ValueError, match="must fit 64 bits"):
        solve(costs, (HUGE, 4, 4), np.inf, False, np.empty(0, np.int64))
    with pytest.raises(ValueError, match="another dtype"):
        solve(np.zeros((2, 2), np.float32), (1, 2, 2), np.inf, False, np.empty(2, np.int64))
    with pytest.raises(ValueError, match="ids must be of earlier rows"):
        _native.core.hand_down_ids(np.array([0, 2]), 5, np.array([-1, 9]))


def test_the_core_checks_indices_of_gradients() -> None:
    for name in ("crop", "heatmap", "roi_align"):
        import_module(f"ptfast.ops._torch.{name}")
    tubes, bad = torch.zeros(1, 1, 4), torch.tensor([HUGE])
    with pytest.raises(ValueError, match="batch_index must be at least 0 and below 1"):
        torch.ops.ptfast.tube_roi_align_backward(
            torch.zeros(1, 1, 1, 1, 1), tubes, bad, None, [1.0], 1, [4], [4], 1, False, [False]
        )
    with pytest.raises(ValueError, match="frame_index must rise from 0 to 1"):
        torch.ops.ptfast.crop_tubes_backward(torch.zeros(1, 3, 1, 1, 1), tubes, bad[None], [1, 4, 4], [1.0] * 6, False)
    with pytest.raises(ValueError, match="partners must be joints"):
        torch.ops.ptfast.flip_average(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4), [9999], True)


def askew(array: np.ndarray) -> np.ndarray:
    """The same numbers a byte off, as a field of packed records has them."""
    records = np.zeros(array.shape, np.dtype([("flag", "u1"), ("value", array.dtype)]))
    records["value"] = array
    return records["value"]


def odd(array: np.ndarray) -> np.ndarray:
    """The same numbers in contiguous memory that begins at an odd address."""
    memory = np.zeros(array.nbytes + 1, np.uint8)
    memory[1:] = np.frombuffer(array.tobytes(), np.uint8)
    return np.frombuffer(memory, array.dtype, offset=1).reshape(array.shape)


def swapped(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder(">"))


def backwards(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array[..., ::-1])[..., ::-1]


def frozen(array: np.ndarray) -> np.ndarray:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def operations(rng: np.random.Generator) -> dict[str, tuple[Callable[..., Any], list[np.ndarray]]]:
    """Each operation with the arrays that it takes."""
    poses, areas, sigmas = rng.random((5, 4, 2)) * 9, rng.random(5) + 1, np.full(4, 0.1)
    boxes, scores, visible = np.sort(rng.random((5, 4)) * 9, -1), rng.random(5), np.ones((5, 4))
    tubes, features, index = boxes[:, None], rng.random((2, 3, 1, 8, 8)), np.array([0, 1, 0, 1, 1])
    maps, offsets = rng.random((3, 8, 8)), np.array([0, 2, 5])
    colours = {"size": (4, 4), "mean": (0, 0, 0), "std": (1, 1, 1)}
    return {
        "assign": (ops.assign, [rng.random((4, 5))]),
        "assign_ragged": (ops.assign_ragged, [rng.random(6), np.array([2, 1]), np.array([2, 2])]),
        "iou_matrix": (ops.iou_matrix, [boxes, boxes]),
        "tube_iou_matrix": (lambda a, b, v: ops.tube_iou_matrix(a, b, v, v), [tubes, tubes, visible[:, :1]]),
        "oks_matrix": (
            lambda a, b, r, s, v: ops.oks_matrix(a, b, area=(r, r), sigmas=s, a_visible=v),
            [poses, poses, areas, sigmas, visible],
        ),
        "pckh_matrix": (lambda a, b, h: ops.pckh_matrix(a, b, head_sizes=h), [poses, poses, areas]),
        "nms": (lambda b, s: ops.nms(b, s, 0.5), [boxes, scores]),
        "tube_nms": (lambda b, s: ops.tube_nms(b, s, 0.5), [tubes, scores]),
        "oks_nms": (lambda *a: ops.oks_nms(*a, 0.5), [poses, scores, areas, sigmas]),
        "soft_oks_nms": (lambda *a: ops.soft_oks_nms(*a, 0.5), [poses, scores, areas, sigmas]),
        "heatmap_peaks": (
            lambda m, f: ops.heatmap_peaks(m, refine="taylor", flipped=f, flip_pairs=[(0, 1)]), [maps, maps]
        ),
        "heatmap_to_image": (lambda c, b: ops.heatmap_to_image(c, b, heatmap_size=(8, 8)), [poses, boxes]),
        "crop_tubes": (
            lambda f, t, i: ops.crop_tubes(f, t, i, **colours), [rng.random((2, 6, 6, 3)), tubes, index[:, None]]
        ),
        "box_to_crop": (lambda b: ops.box_to_crop(b, aspect=0.75), [boxes]),
        "sample_flow": (ops.sample_flow, [rng.random((8, 8, 2)), poses]),
        "tube_roi_align": (
            lambda f, t, i: ops.tube_roi_align(f, t, i, output_size=2, spatial_scale=1.0), [features, tubes, index]
        ),
        "rank_scores": (rank_scores, [scores, offsets]),
        "clear_match": (
            lambda d, i, o: clear_match(d, i, i, object_offsets=o, hypothesis_offsets=o).matched,
            [rng.random((13, 2)), np.arange(5), offsets],
        ),
        "link": (
            lambda k, b, o: link_columns(PoseColumns(k, visible, b), o, sigmas, LinkOptions()), [poses, boxes, offsets]
        ),
        "mean_shift": (lambda p, o, w: mean_shift(p, 2.0, offsets=o, weights=w).labels, [poses[:, 0], offsets, scores]),
        "cheapest_path": (lambda p, o, s: cheapest_path(p, o, sizes=s)[0], [poses[:, 0], offsets, scores]),
    }  # fmt: skip


@pytest.mark.parametrize("laid", [askew, odd, swapped, backwards, frozen])
@pytest.mark.parametrize("name", operations(np.random.default_rng(0)))
def test_arrays_lie_in_memory_as_they_like(name: str, laid: Callable[[np.ndarray], np.ndarray]) -> None:
    function, arrays = operations(np.random.default_rng(15))[name]
    np.testing.assert_equal(function(*map(laid, arrays)), function(*arrays))


@pytest.mark.parametrize(
    "name",
    ["assign", "iou_matrix", "oks_matrix", "nms", "heatmap_peaks", "crop_tubes", "sample_flow", "tube_roi_align"],
)
def test_tensors_over_memory_at_an_odd_address(name: str) -> None:
    function, arrays = operations(np.random.default_rng(15))[name]
    askew_tensors = [torch.frombuffer(bytearray(b"-" + array.tobytes()), dtype=torch.from_numpy(array).dtype, offset=1)
                     .view(array.shape) for array in arrays]  # fmt: skip
    results = function(*askew_tensors), function(*map(torch.from_numpy, arrays))
    for got, expected in zip(*(r if isinstance(r, tuple) else (r,) for r in results), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)


def test_the_core_refuses_arrays_that_lie_askew() -> None:
    with pytest.raises(ValueError, match="aligned"):
        _native.address(odd(np.zeros(3)))


def test_arrays_as_the_core_reads_them_are_not_copied() -> None:
    array = np.zeros((3, 2), np.float32)
    assert core_array(array, np.float32) is array
    assert core_array(frozen(array), np.float32).base is None
    assert core_array(odd(array), np.float32).flags.aligned


def test_lists_as_pyramid_levels_are_named() -> None:
    features, tubes = np.zeros((1, 1, 1, 4, 4), np.float32), np.zeros((1, 1, 4), np.float32)
    for levels, name in (([features, features.tolist()], 1), ([features.tolist(), features], 0)):
        with pytest.raises(TypeError, match=rf"features\[{name}\] must be a NumPy array or torch tensor, got list"):
            ops.pyramid_tube_roi_align(levels, tubes, np.array([0]), output_size=2, spatial_scales=[1, 0.5])
