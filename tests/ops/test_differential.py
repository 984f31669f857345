"""Every operation against its reference, on numbers from the edges: zeros, denormals, huge and tiny, equal and none."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from ptfast import ops
from ptfast.reference import boxes as boxes_reference
from ptfast.reference import crop, heatmap, nms, oks, pckh, roi_align
from ptfast.reference import flow as flow_reference
from ptfast.reference.assignment import assign as reference_assign

SECONDS = 4.0  # for each operation and dtype, at most
ROUNDS = 60
Rng = np.random.Generator
Real = type[np.float32] | type[np.float64]

pytestmark = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def rounds(seed: int) -> list[Rng]:
    return [np.random.default_rng([seed, i]) for i in range(ROUNDS)]


def within_time(check: Callable[[Rng], None], seed: int) -> None:
    """Runs a check on many generators, until time is up."""
    end = time.perf_counter() + SECONDS
    for done, rng in enumerate(rounds(seed)):
        if time.perf_counter() > end and done >= ROUNDS // 4:
            return
        check(rng)


def laid(rng: Rng, array: np.ndarray) -> np.ndarray:
    """The same numbers, at times in strides, backwards, in another order, or a byte off."""
    match rng.integers(5):
        case 0:
            return np.repeat(array, 2, -1)[..., ::2]
        case 1:
            return np.ascontiguousarray(array[::-1])[::-1]
        case 2:
            return np.asfortranarray(array)
        case 3:
            records = np.zeros(array.shape, np.dtype([("flag", "u1"), ("value", array.dtype)]))
            records["value"] = array
            return records["value"]
    return array


def places(rng: Rng, dtype: Real, shape: tuple[int, ...], nan: bool = False) -> np.ndarray:
    """Coordinates of few values, so that many coincide; some far away, some next to nothing."""
    values = [0.0, -0.0, 1.0, 1.0, 1.5, 2.0, 3.25, 1e-3, -7.0, 640.0, 1e4, 1e15]
    values += [np.nan] if nan else []
    return laid(rng, rng.choice(values, shape).astype(dtype))


def areas(rng: Rng, dtype: Real, shape: tuple[int, ...]) -> np.ndarray:
    denormal = 1e-40 if dtype is np.float32 else 1e-310
    return laid(rng, rng.choice([0.0, -1.0, denormal, 1e-12, 1.0, 96.0**2, 1e6, 1e9], shape).astype(dtype))


def sigmas(rng: Rng, dtype: Real, k: int) -> np.ndarray:
    return laid(rng, rng.choice([0.0, 0.0, 1e-30, 0.025, 0.1, 2.0], k).astype(dtype))


def sizes(rng: Rng) -> tuple[int, int, int]:
    """Two sizes of sets and a number of joints or frames: none, one, fewer or more than the lanes of a register."""
    n, m = rng.choice([0, 1, 2, 7, 33], 2)
    return int(n), int(m), int(rng.choice([0, 1, 3, 17]))


def test_oks(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, m, k = sizes(rng)
        a, b = places(rng, dtype, (n, k, 2), nan=True), places(rng, dtype, (m, k, 2))
        area = (areas(rng, dtype, (n,)), areas(rng, dtype, (m,))) if rng.random() < 0.5 else areas(rng, dtype, (m,))
        seen = [None if rng.random() < 0.3 else rng.random((count, k)) < 0.7 for count in (n, m)]
        options = {"area": area, "sigmas": sigmas(rng, dtype, k), "a_visible": seen[0], "b_visible": seen[1]}
        expected = oks.oks_matrix(a, b, **options)
        np.testing.assert_allclose(ops.oks_matrix(a, b, **options), expected, rtol=2e-5, atol=1e-6)

    within_time(check, 1)


def test_pckh(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, m, k = sizes(rng)
        a, b = places(rng, dtype, (n, k, 2)), places(rng, dtype, (m, k, 2))
        heads = laid(rng, rng.choice([0.0, 1.0, 4.0, 1e4], m).astype(dtype))
        seen = [None if rng.random() < 0.3 else rng.random((count, k)) < 0.7 for count in (n, m)]
        options = {"head_sizes": heads, "threshold": 0.5, "a_visible": seen[0], "b_visible": seen[1]}
        expected = pckh.pckh_matrix(a, b, **options)
        np.testing.assert_allclose(ops.pckh_matrix(a, b, **options), expected, rtol=1e-6)

    within_time(check, 2)


def test_iou(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, m, t = sizes(rng)
        a, b = places(rng, dtype, (n, t, 4)), places(rng, dtype, (m, t, 4))
        seen = [None if rng.random() < 0.5 else rng.random((count, t)) < 0.7 for count in (n, m)]
        expected = boxes_reference.tube_iou_matrix(a, b, *seen)
        np.testing.assert_allclose(ops.tube_iou_matrix(a, b, *seen), expected, rtol=1e-5, atol=1e-7)
        if t:
            expected = boxes_reference.iou_matrix(a[:, 0], b[:, 0])
            np.testing.assert_allclose(ops.iou_matrix(a[:, 0], b[:, 0]), expected, rtol=1e-5, atol=1e-7)

    within_time(check, 3)


def test_assign(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, m, _ = sizes(rng)
        values = [0.0, 1.0, 1.0, 2.0, -1.0, 1e-3, np.inf, np.finfo(dtype).tiny]
        costs = laid(rng, rng.choice(values, (n, m)).astype(dtype))
        limit = None if rng.random() < 0.5 else float(rng.choice([0.0, 1.0, 10.0]))
        np.testing.assert_array_equal(
            ops.assign(costs, max_cost=limit, method="greedy"), reference_assign(costs, max_cost=limit, method="greedy")
        )
        if n <= 7 and m <= 7:
            found, expected = (f(costs, max_cost=limit) for f in (ops.assign, reference_assign))
            assert total(costs, found, limit) == pytest.approx(total(costs, expected, limit), abs=1e-5)

    within_time(check, 4)


def total(costs: np.ndarray, columns: np.ndarray, limit: float | None) -> float:
    """What a matching costs: each column once, the pairs' costs less the limit, or after the number of pairs."""
    rows = np.flatnonzero(columns >= 0)
    assert len(set(columns[rows].tolist())) == len(rows)
    made = costs[rows, columns[rows]].astype(np.float64)
    return float((made - limit).sum()) if limit is not None else float(made.sum()) - 1e3 * len(rows)


def test_suppression(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, _, k = sizes(rng)
        boxes, scores = places(rng, dtype, (n, 4)), rng.choice([0.0, -1.0, 0.5, 0.5, 1.0], n).astype(dtype)
        np.testing.assert_array_equal(ops.nms(boxes, scores, 0.4), nms.nms(boxes, scores, 0.4))
        poses = (places(rng, dtype, (n, k, 2)), scores, areas(rng, dtype, (n,)), sigmas(rng, dtype, k))
        np.testing.assert_array_equal(ops.oks_nms(*poses, 0.437), nms.oks_nms(*poses, 0.437))

    within_time(check, 5)


def test_soft_suppression_takes_each_pose_once(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        n, _, k = sizes(rng)
        scores = (rng.permutation(n) + 1).astype(dtype)
        poses = (places(rng, dtype, (n, k, 2)), scores, areas(rng, dtype, (n,)), sigmas(rng, dtype, k))
        kept, rescored = ops.soft_oks_nms(*poses, 0.5, max_detections=n)
        _, expected = nms.soft_oks_nms(*poses, 0.5, max_detections=n)
        assert sorted(kept.tolist()) == list(range(n))
        np.testing.assert_allclose(rescored, expected, rtol=1e-3, atol=1e-6)

    within_time(check, 6)


def test_flow(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        height, width = rng.integers(1, 6, 2)
        flow = places(rng, dtype, (height, width, 2))
        points = laid(rng, rng.choice([-0.5, 0, 0.25, 1, 3, 5, 1e9, np.nan], (*sizes(rng)[:1], 2)).astype(dtype))
        for got, expected in zip(ops.sample_flow(flow, points), flow_reference.sample_flow(flow, points), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

    within_time(check, 7)


def test_peaks(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        maps = laid(rng, rng.choice([0.0, 1.0, -1.0, 0.5, 1e-30, np.nan], (*sizes(rng)[:1], 6, 5)).astype(dtype))
        for refine in ("none", "quarter"):
            results = ops.heatmap_peaks(maps, refine=refine), heatmap.heatmap_peaks(maps, refine=refine)
            for got, expected in zip(*results, strict=True):
                np.testing.assert_array_equal(got, expected)

    within_time(check, 8)


def test_crops(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        m, t = sizes(rng)[:2]
        frames = laid(rng, rng.choice([0.0, 1.0, 255.0], (2, 5, 7, 3)).astype(dtype))
        tubes = laid(rng, rng.choice([-3.0, 0, 0.5, 2, 4, 9, 1e6, np.nan], (m, t, 4)).astype(dtype))
        index = rng.integers(0, 2, (m, t))
        options = {"size": (3, 2), "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1)}
        expected = crop.crop_tubes(frames, tubes, index, **options)
        np.testing.assert_allclose(ops.crop_tubes(frames, tubes, index, **options), expected, rtol=1e-4, atol=1e-4)

    within_time(check, 9)


def test_roi_align(dtype: Real) -> None:
    def check(rng: Rng) -> None:
        m = sizes(rng)[0]
        features = laid(rng, rng.choice([0.0, 1.0, -2.0, 1e3], (2, 3, 2, 5, 4)).astype(dtype))
        tubes = laid(rng, rng.choice([-9.0, -1, 0, 0.5, 2, 4, 9, 1e9, np.nan, np.inf], (m, 2, 4)).astype(dtype))
        index, aligned = rng.integers(0, 2, m), bool(rng.random() < 0.5)
        options = {"output_size": (2, 2), "spatial_scale": 0.5, "aligned": aligned}
        expected = roi_align.tube_roi_align(features, tubes, index, **options)
        found = ops.tube_roi_align(features, tubes, index, **options)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    within_time(check, 10)
