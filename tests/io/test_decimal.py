"""Numbers are written as the shortest decimals that give the same float32."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.io._decimal import corner_and_size, from_corner_and_size, list_texts, number_texts, row_texts, shortest


def samples(kind: str) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "any bits":
        values = rng.integers(0, 2**32, 5_000, np.uint32).view(np.float32)
        return values[np.isfinite(values)]
    if kind == "pixels":
        return rng.uniform(-100, 4000, 5_000).astype(np.float32)
    if kind == "rounded":
        return rng.uniform(0, 2000, 5_000).round(2).astype(np.float32)
    return np.array([0.0, -0.0, 1, -3, 0.5, 1e-4, 9.9e-5, 1e7, 16777217, 8388607.5, 3.4028235e38, 1e-45], np.float32)


@pytest.mark.parametrize("kind", ["any bits", "pixels", "rounded", "edges"])
def test_decimals_are_those_of_numpy(kind: str) -> None:
    values = samples(kind)
    assert [repr(value) for value in shortest(values).tolist()] == [repr(float(str(value))) for value in values]


def test_nan_and_shape_are_kept() -> None:
    found = shortest(np.array([[np.nan, 321.3731079101562]], np.float32))
    assert found.shape == (1, 2)
    assert np.isnan(found[0, 0])
    assert found[0, 1] == 321.3731


@pytest.mark.parametrize("kind", ["any bits", "pixels", "rounded", "edges"])
def test_texts_are_those_that_python_writes(kind: str) -> None:
    values = samples(kind)
    values = np.concatenate([values, -values[:5], values[: len(values) % 2 + 1] * 0])
    wanted = [repr(value) for value in shortest(values).tolist()]
    assert number_texts(values) == wanted
    pairs = values[: len(values) // 2 * 2].reshape(-1, 2)
    assert row_texts(pairs) == [",".join(wanted[2 * row : 2 * row + 2]) for row in range(len(pairs))]
    assert list_texts(pairs.astype(np.float64)) == [repr(row).replace(" ", "") for row in pairs.astype(float).tolist()]
    assert list_texts(pairs[:0]) == []


@pytest.mark.parametrize("digits", [0, 2, 9])
def test_boxes_come_back_from_corner_and_size(digits: int) -> None:
    rng = np.random.default_rng(digits)
    corner = rng.uniform(-500, 4000, (5_000, 2)).round(digits)
    boxes = np.concatenate([corner, corner + rng.exponential(200, (5_000, 2)).round(digits)], 1).astype(np.float32)
    written = corner_and_size(boxes)
    assert np.array_equal(from_corner_and_size(written).astype(np.float32), boxes)
    assert max(len(repr(value)) for value in written.ravel().tolist()) <= 14
