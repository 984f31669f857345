"""Mean shift of many small sets of points in one call, against scikit-learn set by set."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.tracking import Clusters, mean_shift

RADIUS = 15.0
ASKED = 20  # sets that scikit-learn clusters; its time for all sets follows from theirs


def hypotheses(sets: int, points: int) -> np.ndarray:
    """(sets, points, 2): a joint's hypotheses, one in four of which lie on somebody else."""
    rng = np.random.default_rng(0)
    joint, other = rng.uniform(0, 1000, (2, sets, 1, 2))
    other = joint + (other - 500) / 10
    return np.where(rng.random((sets, points, 1)) < 0.25, other, joint) + rng.normal(0, 4, (sets, points, 2))


def scattered(sets: int, points: int) -> np.ndarray:
    """(sets, points, 2) all over a square of four radii: hardly two hypotheses agree."""
    return np.random.default_rng(0).uniform(0, 4 * RADIUS, (sets, points, 2))


def crowded(sets: int, points: int) -> np.ndarray:
    """(sets, points, 2) around five places that run into each other."""
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 10 * RADIUS, (sets, 5, 2))
    of = rng.integers(5, size=(sets, points, 1))
    return np.take_along_axis(places, of, 1) + rng.normal(0, RADIUS / 2, (sets, points, 2))


@cache
def clustered(make: Callable, sets: int, points: int) -> tuple[np.ndarray, np.ndarray, Clusters]:
    """Points (P, 2) of all sets, their offsets and clusters."""
    flat, offsets = make(sets, points).reshape(-1, 2), np.arange(sets + 1) * points
    return flat, offsets, mean_shift(flat, RADIUS, offsets=offsets)


@cache
def sklearn_seconds(make: Callable, sets: int, points: int, seeding: bool, median_seconds: Callable) -> float:
    """Seconds of scikit-learn for all sets, from the median of some whose clusters by its exact mode equal ours.

    It uses one thread however many there are, so it is timed once.
    """
    cluster = peer("sklearn.cluster")
    flat, offsets, found = clustered(make, sets, points)
    many = flat.reshape(sets, points, 2)
    for s in range(3 if seeding else ASKED):
        exact = cluster.MeanShift(bandwidth=RADIUS).fit(many[s])
        centres = found.centres[found.offsets[s] : found.offsets[s + 1]]
        np.testing.assert_allclose(centres, exact.cluster_centers_, rtol=1e-9)
        np.testing.assert_array_equal(found.labels[offsets[s] : offsets[s + 1]], exact.labels_)
    theirs = cluster.MeanShift(bandwidth=RADIUS, bin_seeding=seeding)
    return float(np.median([median_seconds(lambda s=s: theirs.fit(many[s]), 1) for s in range(ASKED)])) * sets


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize(
    ("make", "sets", "points", "seeding", "at_least"),
    [
        (hypotheses, 150_000, 9, False, 3000),
        (scattered, 150_000, 9, False, 3000),
        (crowded, 2_000, 200, True, 500),
        (scattered, 2_000, 200, True, 500),
    ],
)
def test_mean_shift(
    benchmark: Any, make: Callable, sets: int, points: int, seeding: bool, at_least: int, threads: int,
    median_seconds: Callable, held_against: Callable, roofline: Callable[..., None],
) -> None:  # fmt: skip
    """`seeding`: compare with scikit-learn's faster mode, which starts from a grid and may miss clusters."""
    seconds = sklearn_seconds(make, sets, points, seeding, median_seconds)
    flat, offsets, found = clustered(make, sets, points)
    benchmark.group = f"mean shift of {sets} sets of {points} points, {make.__name__}, {threads} thread(s)"
    benchmark.pedantic(lambda: mean_shift(flat, RADIUS, offsets=offsets), rounds=7, warmup_rounds=1)
    # At the least: once the distance of each two points of a set, two differences, their squares, a sum, a comparison.
    # How often points climb hangs on the data and is not counted. Points are read; centres and labels are written.
    roofline(flat.nbytes + found.centres.nbytes + found.labels.nbytes, 6 * sets * points * (points - 1) / 2)
    clusters_per_set = len(found.centres) / sets
    held_against(seconds, at_least, peer=f"scikit-learn, bin_seeding={seeding}", clusters_per_set=clusters_per_set)
