"""MeanShift as scikit-learn has it, in every way of seeding, against scikit-learn's own."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from peers import peer

SETTINGS: dict[str, dict[str, Any]] = {
    "every point": {"bandwidth": 15.0},
    "bins": {"bandwidth": 15.0, "bin_seeding": True},
    "estimated bandwidth": {},
}


def points(n: int) -> np.ndarray:
    """(n, 2) around five places, some of which run into each other."""
    random = np.random.default_rng(0)
    return random.uniform(0, 150, (5, 2))[random.integers(5, size=n)] + random.normal(0, 7, (n, 2))


@cache
def fit_theirs(seeding: str, n: int) -> tuple[Any, float]:
    """scikit-learn's fit, on one thread, and its seconds: the best of several where it is short."""
    estimator, where = peer("sklearn.cluster").MeanShift(**SETTINGS[seeding]), points(n)
    seconds = []
    for _ in range(1 if n >= 200 else 4):
        started = time.perf_counter()
        estimator.fit(where)
        seconds.append(time.perf_counter() - started)
    return estimator, min(seconds)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("n", [1, 9, 200, 1000])
@pytest.mark.parametrize("seeding", SETTINGS)
def test_mean_shift(benchmark: Any, seeding: str, n: int, threads: int, held_against: Callable[..., None]) -> None:
    if n == 1 and seeding == "bins":
        pytest.skip("one point has a bin of its own, of which both warn")
    peer("sklearn.cluster")
    from ptfast.dropin.sklearn import MeanShift

    where, settings = points(n), SETTINGS[seeding]
    found, (expected, seconds) = MeanShift(**settings).fit(where), fit_theirs(seeding, n)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_allclose(found.cluster_centers_, expected.cluster_centers_, rtol=1e-9)
    assert found.n_iter_ == expected.n_iter_
    benchmark.group = f"MeanShift.fit of {n} points, seeds: {seeding}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(lambda: MeanShift(**settings).fit(where), rounds=15, warmup_rounds=2)
    held_against(seconds, at_least=1, peer="scikit-learn", clusters=len(found.cluster_centers_))
