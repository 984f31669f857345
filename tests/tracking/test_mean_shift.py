"""mean_shift: against scikit-learn and the specification, many sets at once, ties and errors."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import ptfast
from ptfast.reference.mean_shift import mean_shift as plain_mean_shift
from ptfast.tracking import mean_shift
from ptfast.tracking.mean_shift import Clusters

RADIUS = 30.0


def spread(points: int, seed: int, width: float = 100) -> np.ndarray:
    """(P, 2) points around a few places, in a field that is longer along one axis or the other."""
    rng = np.random.default_rng([points, seed])
    places = rng.uniform(0, width, (1 + points // 8, 2)) * (1, 2) ** rng.permutation(2)
    return places[rng.integers(len(places), size=points)] + rng.normal(0, width / 8, (points, 2))


def problems(seed: int = 0) -> list[np.ndarray]:
    sizes = (1, 2, 9, 9, 9, 31, 32, 33, 97, 200)
    return [spread(size, seed + i, 100 if i % 2 else 250) for i, size in enumerate(sizes)]


def solve(sets: list[np.ndarray], bandwidth: float | np.ndarray = RADIUS, **arguments: object) -> Clusters:
    return mean_shift(np.concatenate(sets), bandwidth, offsets=np.cumsum([0, *map(len, sets)]), **arguments)


def split(found: Clusters, sets: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Centres and labels of each set."""
    centres = np.split(found.centres, found.offsets[1:-1])
    labels = np.split(found.labels, np.cumsum([len(points) for points in sets])[:-1])
    return list(zip(centres, labels, strict=True))


@pytest.mark.parametrize("max_iter", [0, 1, 300])
def test_clusters_equal_scikit_learn(max_iter: int) -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    sets = problems()
    for points, (centres, labels) in zip(sets, split(solve(sets, max_iter=max_iter), sets), strict=True):
        peer = cluster.MeanShift(bandwidth=RADIUS, max_iter=max_iter).fit(points)
        np.testing.assert_allclose(centres, peer.cluster_centers_, rtol=1e-12)
        np.testing.assert_array_equal(labels, peer.labels_)


@pytest.mark.parametrize("weighted", [False, True])
def test_clusters_equal_the_specification(weighted: bool) -> None:
    sets = problems(1)
    weights = [np.random.default_rng(i).uniform(0.1, 1, len(points)) for i, points in enumerate(sets)]
    radii = np.linspace(10, 60, len(sets))
    found = split(solve(sets, radii, weights=np.concatenate(weights) if weighted else None), sets)
    for points, weight, radius, (centres, labels) in zip(sets, weights, radii, found, strict=True):
        expected_centres, expected_labels = plain_mean_shift(points, radius, weight if weighted else None)
        np.testing.assert_allclose(centres, expected_centres, rtol=1e-12)
        np.testing.assert_array_equal(labels, expected_labels)


def grids() -> list[np.ndarray]:
    """Sums of these are exact, so equal means, equal distances and distances that equal a radius of 2 all occur."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 9, (size, 2)).astype(float) for size in (9, 40) * 9]


def test_ties_are_settled_as_by_the_specification() -> None:
    for points, (centres, labels) in zip(grids(), split(solve(grids(), 2.0), grids()), strict=True):
        expected_centres, expected_labels = plain_mean_shift(points, 2.0)
        np.testing.assert_array_equal(centres, expected_centres)
        np.testing.assert_array_equal(labels, expected_labels)


def test_ties_are_settled_as_by_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    for points, (centres, _) in zip(grids(), split(solve(grids(), 2.0), grids()), strict=True):
        np.testing.assert_array_equal(centres, cluster.MeanShift(bandwidth=2.0).fit(points).cluster_centers_)


def test_of_equally_heavy_clusters_the_one_farther_right_is_first() -> None:
    points = np.array([[0, 0], [2, 0], [100, 0], [102, 0], [50, 0], [52, 0], [50, 2.0]])
    found = mean_shift(points, 5)
    np.testing.assert_allclose(found.centres, [[152 / 3, 2 / 3], [101, 0], [1, 0]])
    np.testing.assert_array_equal(found.labels, [2, 2, 1, 1, 0, 0, 0])


def test_weights_pull_the_centre_and_decide_which_is_first() -> None:
    points = np.array([[0, 0], [4, 0], [100, 0], [101, 0], [102, 0]])
    found = mean_shift(points, 10, weights=np.array([3, 1, 0.5, 0.5, 0.5]))
    np.testing.assert_allclose(found.centres, [[1, 0], [101, 0]])


def test_sets_do_not_depend_on_each_other_or_on_threads() -> None:
    sets = [spread(9, seed) for seed in range(3000)]
    ptfast.set_num_threads(1)
    one = solve(sets)
    ptfast.set_num_threads(3)
    many = solve(sets)
    ptfast.set_num_threads(0)
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
    centres, labels = split(one, sets)[1234]
    alone = mean_shift(sets[1234], RADIUS)
    np.testing.assert_array_equal(alone.centres, centres)
    np.testing.assert_array_equal(alone.labels, labels)


def test_bandwidths_at_the_last_bits_of_coordinates_leave_no_nan() -> None:
    """A mean of equal points may then lie beyond the bandwidth from all of them."""
    points = np.repeat(np.random.default_rng(0).uniform(1e9, 2e9, (20, 2)), 3, 0)
    found = mean_shift(points, 1e-9)
    assert np.isfinite(found.centres).all()
    assert found.labels.max() < max(1, len(found.centres))


@pytest.mark.parametrize("size", [1e-99, 1e100])
@pytest.mark.parametrize("bandwidth", [1e-100, 1e100])
def test_the_largest_and_smallest_numbers_have_clusters(size: float, bandwidth: float) -> None:
    points = np.random.default_rng(0).uniform(-size, size, (40, 2))
    found = mean_shift(points, bandwidth, weights=np.full(40, size))
    apart = bandwidth < size
    assert len(found.centres) > 1 if apart else len(found.centres) == 1
    assert np.isfinite(found.centres).all() and set(found.labels) == set(range(len(found.centres)))


def test_empty_sets_have_no_clusters() -> None:
    found = mean_shift(spread(5, 0), 1000, offsets=[0, 0, 5, 5])
    np.testing.assert_array_equal(found.offsets, [0, 0, 1, 1])
    for none in (mean_shift(np.zeros((0, 2)), 1), mean_shift(np.zeros((0, 2)), np.zeros(0), offsets=[0])):
        assert none.centres.shape == (0, 2) and none.labels.shape == (0,)


def test_any_layout_and_kind_of_array_will_do() -> None:
    points = spread(50, 0).astype(np.float32)
    expected = mean_shift(points.astype(np.float64), RADIUS)
    fortran = np.asfortranarray(points)
    fortran.flags.writeable = False
    for same in (points, fortran, np.repeat(points, 2, 0)[::2]):
        np.testing.assert_array_equal(mean_shift(same, RADIUS).centres, expected.centres)
    found = mean_shift(torch.as_tensor(points), RADIUS, weights=torch.ones(50))
    assert isinstance(found.labels, torch.Tensor)
    np.testing.assert_array_equal(found.centres.numpy(), expected.centres)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"points": np.zeros((3, 3))}, r"points must have shape \(P, 2\), got \(3, 3\)"),
        ({"points": np.full((4, 2), np.nan)}, r"points must be finite, got nan at \(0, 0\)"),
        (
            {"points": np.full((40, 2), 1.7e308)},
            r"points must lie between -1e\+100 and 1e\+100, got 1.7e\+308",
        ),
        ({"bandwidth": 1e-320}, r"bandwidth must be at least 1e-100, got 1e-320 at \(0,\)"),
        ({"weights": np.full(4, 1e308)}, r"weights must lie between -1e\+100 and 1e\+100, got 1e\+308 at \(0,\)"),
        ({"bandwidth": 0}, r"bandwidth must be positive, got 0.0 at \(0,\)"),
        ({"bandwidth": np.ones(2)}, r"bandwidth must have shape \(B,\) with B = 1, got \(2,\)"),
        ({"weights": np.array([1, 1, 0, 1.0])}, r"weights must be positive, got 0.0 at \(2,\)"),
        ({"weights": np.ones(3)}, r"weights must have shape \(P,\) with P = 4, got \(3,\)"),
        ({"offsets": [0, 3]}, r"offsets must rise from 0 to 4, the number of points, got \[0, 3\]"),
        ({"offsets": [0, 5, 4]}, r"offsets must rise from 0 to 4, the number of points, got \[0, 5, 4\]"),
        ({"max_iter": -1}, "max_iter must be between 0 and"),
    ],
)
def test_wrong_input_is_named(arguments: dict, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        mean_shift(**{"points": np.zeros((4, 2)), "bandwidth": 1.0, **arguments})


def test_numba_is_loaded_by_the_first_call_alone() -> None:
    script = "import sys, ptfast.tracking; ptfast.tracking.mean_shift; print('numba' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "False"
