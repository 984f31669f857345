"""MeanShift as scikit-learn has it, in every way of seeding, against scikit-learn's own."""

from __future__ import annotations

from collections.abc import Callable
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


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("n", [1, 9, 200, 1000])
@pytest.mark.parametrize("seeding", SETTINGS)
def test_mean_shift(
    benchmark: Any, seeding: str, n: int, threads: int, median_seconds: Callable[..., float],
    held_against: Callable[..., None],
) -> None:  # fmt: skip
    if n == 1 and seeding == "bins":
        pytest.skip("one point has a bin of its own, of which both warn")
    original = peer("sklearn.cluster").MeanShift
    from ptfast.dropin.sklearn import MeanShift

    where, settings = points(n), SETTINGS[seeding]
    found, expected = MeanShift(**settings).fit(where), original(**settings).fit(where)
    np.testing.assert_array_equal(found.labels_, expected.labels_)
    np.testing.assert_allclose(found.cluster_centers_, expected.cluster_centers_, rtol=1e-9)
    assert found.n_iter_ == expected.n_iter_
    benchmark.group = f"MeanShift.fit of {n} points, seeds: {seeding}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(lambda: MeanShift(**settings).fit(where), rounds=15, warmup_rounds=2)
    seconds = median_seconds(lambda: original(**settings).fit(where), 1 if n > 200 else 3)
    held_against(seconds, at_least=1, peer="scikit-learn", clusters=len(found.cluster_centers_))
