"""MeanShift beside scikit-learn's, alone, and by hand."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import sklearn
from ptfast.dropin._sklearn_mean_shift import bin_seeds, estimate_bandwidth
from ptfast.tracking import mean_shift

SETTINGS: list[dict[str, Any]] = [
    {},
    {"bandwidth": 15.0},
    {"bandwidth": 15, "max_iter": 1},
    {"bandwidth": 9.0, "max_iter": 0, "cluster_all": False},
    {"bandwidth": 15.0, "bin_seeding": True},
    {"bin_seeding": True},
    {"bandwidth": 7.3, "bin_seeding": True, "min_bin_freq": 2, "cluster_all": False},
    {"bandwidth": 0.01, "bin_seeding": True},
    {"bandwidth": 20.0, "seeds": [[10, 20], [90.0, 50], [1e6, 1e6]], "cluster_all": False},
]


def points(kind: str, n: int, dtype: Any = np.float64) -> np.ndarray:
    random = np.random.default_rng(n)
    if kind == "groups":
        return (random.uniform(0, 100, (4, 2))[random.integers(4, size=n)] + random.normal(0, 5, (n, 2))).astype(dtype)
    if kind == "grid":  # distances that equal bandwidths
        return (random.integers(0, 12, (n, 2)) * 3).astype(dtype)
    if kind == "same":
        return np.full((n, 2), 3, dtype)
    return np.stack([np.zeros(n), random.uniform(0, 100, n)], 1).astype(dtype)  # on a line


@pytest.fixture(params=["beside scikit-learn", "alone"])
def MeanShift(request: pytest.FixtureRequest) -> Any:
    if request.param == "alone":
        return sklearn._Alone
    peer("sklearn.cluster")
    return sklearn.MeanShift


@pytest.mark.filterwarnings("ignore:Binning data failed:UserWarning")
@pytest.mark.parametrize(
    ("kind", "n", "dtype"),
    [
        ("groups", 1, np.float64), ("groups", 9, np.float64), ("groups", 30, np.float64), ("groups", 30, np.float32),
        ("grid", 9, np.float64), ("grid", 9, np.int64), ("same", 3, np.float64), ("line", 9, np.float32),
    ],
)  # fmt: skip
def test_equals_the_original(MeanShift: Any, kind: str, n: int, dtype: type) -> None:
    original = peer("sklearn.cluster").MeanShift
    where = points(kind, n, dtype)
    elsewhere = where + where.dtype.type(1)
    for settings in SETTINGS:
        found, expected = MeanShift(**settings), original(**settings)
        try:
            expected.fit(where)
        except ValueError as error:
            with pytest.raises(ValueError, match=None if MeanShift is sklearn._Alone else re.escape(str(error))):
                found.fit(where)
            continue
        assert found.fit(where) is found
        np.testing.assert_array_equal(found.labels_, expected.labels_)
        assert (found.labels_.dtype, found.n_iter_) == (expected.labels_.dtype, expected.n_iter_)
        assert found.cluster_centers_.dtype == expected.cluster_centers_.dtype
        rounding = 1e-5 if dtype == np.float32 else 1e-9  # where scikit-learn sums float32
        np.testing.assert_allclose(found.cluster_centers_, expected.cluster_centers_, rtol=rounding, atol=rounding)
        np.testing.assert_array_equal(found.predict(elsewhere), expected.predict(elsewhere))
        np.testing.assert_array_equal(MeanShift(**settings).fit_predict(where), expected.labels_)


def test_layouts_do_not_matter(MeanShift: Any) -> None:
    where = points("groups", 40)
    expected = MeanShift(bandwidth=15.0).fit(where).labels_
    wide = np.zeros((80, 5))
    wide[::2, 1:3] = where
    for layout in (np.asfortranarray(where), wide[::2, 1:3], where.tolist()):
        np.testing.assert_array_equal(MeanShift(bandwidth=15.0).fit(layout).labels_, expected)


def test_known_clusters(MeanShift: Any) -> None:
    where = [[1, 1], [2, 1], [1, 0], [4, 7], [3, 5], [3, 6]]
    model = MeanShift(bandwidth=2).fit(where)
    assert model.labels_.tolist() == [1, 1, 1, 0, 0, 0]
    np.testing.assert_allclose(model.cluster_centers_, [[10 / 3, 6], [4 / 3, 2 / 3]])
    assert model.predict([[0, 0], [5, 5]]).tolist() == [1, 0]
    # Three tenths of six points are the point itself; a half is it and two others, the farther at 1, 2^0.5 or 5^0.5.
    assert estimate_bandwidth(np.array(where, np.float64)) == 0
    assert estimate_bandwidth(np.array(where, np.float64), 0.5) == pytest.approx((1 + 3 * 2**0.5 + 2 * 5**0.5) / 6)


def test_a_point_at_the_bandwidth_belongs_to_the_cluster(MeanShift: Any) -> None:
    where = [[-5.0, 0], [0, 0], [5, 0], [40, 0]]
    settings: dict[str, Any] = {"bandwidth": 5, "seeds": [[0.0, 0]], "cluster_all": False}
    assert MeanShift(**settings).fit(where).labels_.tolist() == [0, 0, 0, -1]
    assert peer("sklearn.cluster").MeanShift(**settings).fit(where).labels_.tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize("size", [15.0, np.float64(0.7)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_bins_equal_the_originals_to_the_bit(dtype: type, size: float) -> None:
    where = points("groups", 200, dtype)
    for frequency in (1, 2):
        expected = peer("sklearn.cluster").get_bin_seeds(where, size, frequency)
        found = bin_seeds(where, size, frequency)
        assert found is not None and found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_clusters_are_those_of_tracking(MeanShift: Any) -> None:
    where = points("groups", 40)
    model, clusters = MeanShift(bandwidth=15.0).fit(where), mean_shift(where, 15.0)
    np.testing.assert_allclose(model.cluster_centers_, clusters.centres, rtol=1e-12)
    np.testing.assert_array_equal(model.labels_, clusters.labels)


def test_threads_do_not_change_labels(MeanShift: Any) -> None:
    import ptfast

    where = points("groups", 700)  # enough for several pieces
    before = MeanShift(bandwidth=4.0).fit(where)
    ptfast.set_num_threads(4)
    try:
        after = MeanShift(bandwidth=4.0).fit(where)
    finally:
        ptfast.set_num_threads(0)
    np.testing.assert_array_equal(after.labels_, before.labels_)
    np.testing.assert_array_equal(after.cluster_centers_, before.cluster_centers_)
    assert after.n_iter_ == before.n_iter_


def test_a_grid_that_holds_every_point_alone_warns(MeanShift: Any) -> None:
    with pytest.warns(UserWarning, match="Binning data failed with provided bin_size=0.010000, using data") as warnings:
        MeanShift(bandwidth=0.01, bin_seeding=True).fit(points("groups", 9))
    assert warnings[0].filename == __file__


def test_parameters(MeanShift: Any) -> None:
    model = MeanShift(bandwidth=3, min_bin_freq=2)
    expected = {"bandwidth": 3, "seeds": None, "bin_seeding": False, "min_bin_freq": 2, "cluster_all": True}
    assert model.get_params() == expected | {"n_jobs": None, "max_iter": 300}
    assert model.set_params(bandwidth=4) is model and model.bandwidth == 4
    with pytest.raises(ValueError, match="radius"):
        model.set_params(radius=4)
    with pytest.raises(TypeError):
        MeanShift(3)


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"bandwidth": 0}, points("groups", 9)),
        ({"bandwidth": 3, "max_iter": -1}, points("groups", 9)),
        ({"bandwidth": 3, "min_bin_freq": 0}, points("groups", 9)),
        ({"bandwidth": 3}, np.zeros((0, 2))),
        ({"bandwidth": 3}, np.zeros(2)),
        ({"bandwidth": 3}, np.array([[0.0, np.nan]])),
        ({"bandwidth": 3, "seeds": [[np.nan, 0]]}, points("groups", 9)),
        ({"bandwidth": 3, "seeds": [[1e6, 0]]}, points("groups", 9)),
        ({"bandwidth": 3, "bin_seeding": True, "min_bin_freq": 99}, points("groups", 9)),
    ],
)
def test_what_is_refused(MeanShift: Any, settings: dict[str, Any], where: np.ndarray) -> None:
    with pytest.raises(ValueError) as found:
        MeanShift(**settings).fit(where)
    if MeanShift is not sklearn._Alone:
        with pytest.raises(found.type) as expected:
            peer("sklearn.cluster").MeanShift(**settings).fit(where)
        assert str(found.value) == str(expected.value)


def test_other_dimensions_are_left_to_the_original() -> None:
    where = np.random.default_rng(0).uniform(0, 9, (20, 3))
    expected = peer("sklearn.cluster").MeanShift(bandwidth=4.0).fit(where)
    found = sklearn.MeanShift(bandwidth=4.0).fit(where)
    np.testing.assert_array_equal(found.cluster_centers_, expected.cluster_centers_)
    with pytest.raises(ImportError, match="3 features needs scikit-learn: pip install scikit-learn"):
        sklearn._Alone(bandwidth=4.0).fit(where)


def test_it_is_an_estimator_of_scikit_learns() -> None:
    base, cluster = peer("sklearn.base"), peer("sklearn.cluster")
    model = sklearn.MeanShift(bandwidth=15.0)
    assert isinstance(model, cluster.MeanShift) and repr(model) == "MeanShift(bandwidth=15.0)"
    copy = base.clone(model.fit(points("groups", 9)))
    assert type(copy) is type(model) and not hasattr(copy, "labels_")
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.labels_, model.labels_)
    pipeline = peer("sklearn.pipeline").make_pipeline(peer("sklearn.preprocessing").StandardScaler(), copy)
    assert len(pipeline.fit_predict(points("groups", 9))) == 9


def test_without_scikit_learn_the_class_stands_alone() -> None:
    script = (
        "import sys; sys.modules['sklearn'] = None; from ptfast.dropin.sklearn import MeanShift as M; "
        "print(M.__module__, M.__mro__[1].__name__, M(bandwidth=2).fit_predict([[0, 0], [1, 0]]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "ptfast.dropin.sklearn object [0 0]\n"


def test_importing_loads_neither_scikit_learn_nor_numba() -> None:
    script = "import sys, ptfast.dropin.sklearn; print({'torch', 'sklearn', 'numba'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_names_that_are_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'KMeans'"):
        sklearn.KMeans  # noqa: B018
