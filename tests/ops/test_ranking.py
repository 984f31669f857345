from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from ptfast.ops.ranking import rank_scores
from ptfast.reference import ranking as reference


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 63, 64, 65, 72, 127, 256, 257, 258, 300, 511, 1000, 2003])
@pytest.mark.parametrize("levels", [1000, 10**6])
def test_equals_the_reference(rng: np.random.Generator, count: int, levels: int) -> None:
    scores = np.floor(rng.random(count) * levels) / levels
    np.testing.assert_array_equal(rank_scores(scores), reference.rank_scores(scores))


def test_equals_the_reference_where_many_scores_share_the_highest_value(rng: np.random.Generator) -> None:
    scores = np.minimum(1.0, 1.3 * rng.random(1500))
    np.testing.assert_array_equal(rank_scores(scores), reference.rank_scores(scores))


# sum(i * order[i]) of NumPy 1.26.4's argsort()[::-1] on a processor with AVX-512.
@pytest.mark.parametrize(("count", "checksum"), [(100, 241164), (1000, 249131433)])
def test_equals_the_recorded_order_of_equal_scores(count: int, checksum: int) -> None:
    order = rank_scores((np.arange(count) * 7919 % 13) / 13)
    assert int((order * np.arange(count)).sum()) == checksum


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_scores_descend_and_each_position_comes_once(rng: np.random.Generator, levels: int) -> None:
    scores = np.floor(rng.random(5000) * levels)
    order = rank_scores(scores)
    np.testing.assert_array_equal(np.sort(order), np.arange(5000))
    assert (np.diff(scores[order]) <= 0).all()


def test_groups_are_ranked_on_their_own(rng: np.random.Generator) -> None:
    scores = np.round(rng.random(900), 1)
    offsets = np.array([0, 0, 400, 401, 900, 900])
    parts = [rank_scores(scores[a:b]) + a for a, b in pairwise(offsets)]
    np.testing.assert_array_equal(rank_scores(scores, offsets), np.concatenate(parts))


def test_float32_scores_and_strided_ones_are_compared_in_float64(rng: np.random.Generator) -> None:
    scores = rng.random(400).astype(np.float32)[::2]
    np.testing.assert_array_equal(rank_scores(scores), rank_scores(scores.astype(np.float64)))


def test_a_nan_is_named() -> None:
    with pytest.raises(ValueError, match="scores must be numbers, got nan at 2"):
        rank_scores(np.array([1, 2, np.nan]))


@pytest.mark.parametrize("offsets", [[0, 2], [1, 3], [0, 2, 1, 3], []])
def test_wrong_offsets_are_named(offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets must rise from 0 to 3"):
        rank_scores(np.zeros(3), np.array(offsets))


def test_a_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"scores must have shape \(D,\), got \(2, 3\)"):
        rank_scores(np.zeros((2, 3)))


def test_scores_of_which_most_share_the_lowest_value_are_still_in_descending_order() -> None:
    scores = np.where(np.arange(5000) % 50 == 7, np.arange(5000) / 5000, 0.0)
    order = rank_scores(scores)
    assert sorted(order.tolist()) == list(range(5000))
    assert (np.diff(scores[order]) <= 0).all()
