"""scikit-learn's MeanShift for points in the plane, by ptfast.tracking's kernels.

    from ptfast.dropin.sklearn import MeanShift    # instead of: from sklearn.cluster import MeanShift

Equal to scikit-learn 1.9.1, whose class it extends where scikit-learn is installed: pipelines, clone, checks of
parameters and points, and all but points in the plane are scikit-learn's. Without it the class stands alone, for points
in the plane. Three things differ. All is computed in float64, so that float32 points may have centres that differ in
the last digits. Labels are the same where no distance equals the bandwidth to within rounding. `n_jobs` is ignored, as
ptfast.set_num_threads decides.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ptfast._check import as_floats, check_finite, check_integer, check_number, check_shape
from ptfast.dropin._originals import original

__all__ = ["MeanShift"]  # noqa: F822 - made when it is asked for, so that importing this module loads no scikit-learn


def __getattr__(name: str) -> Any:
    if name != "MeanShift":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = original("sklearn.cluster", "MeanShift")
    found = _Alone if base is None else _extend(base)
    found.__name__ = found.__qualname__ = name  # pickle finds it under its name
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


def _extend(base: Any) -> Any:
    """scikit-learn's class with a `fit` of our own for points in the plane."""

    class MeanShift(base):
        __doc__ = base.__doc__

        def fit(self, X: Any, y: Any = None) -> Any:
            self._validate_params()
            points = _validated(self, X)
            seeds = None if self.seeds is None else _seeds(self.seeds)
            if points.shape[1] == 2 and (self.seeds is None or seeds is not None) and _fit(self, points, seeds):
                return self
            return super().fit(X, y)

        fit.__doc__ = base.fit.__doc__

    return MeanShift


def _validated(model: Any, X: Any) -> np.ndarray:
    """X as scikit-learn wants it. Notes the features' number and names."""
    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before 1.6
        return model._validate_data(X)
    return validate_data(model, X)


def _seeds(seeds: Any) -> np.ndarray | None:
    """(S, 2) float64, or None for seeds that scikit-learn is left to refuse."""
    try:
        found = np.asarray(seeds, np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 2 and found.shape[1] == 2 and np.isfinite(found).all() else None


def _fit(model: Any, points: np.ndarray, seeds: np.ndarray | None) -> bool:
    """Sets the model's results for points (P, 2) of any real dtype. Returns False where no seed sees a point."""
    from ptfast.dropin._sklearn_mean_shift import bin_seeds, estimate_bandwidth
    from ptfast.tracking.seeded_mean_shift import shift_seeds

    places = points.astype(np.float64, copy=False)
    bandwidth = estimate_bandwidth(places) if model.bandwidth is None else model.bandwidth
    if seeds is None:
        seeds = places
        if model.bin_seeding and bandwidth > 0:
            binned = bin_seeds(points, bandwidth, model.min_bin_freq)
            if binned is None:
                warnings.warn(
                    f"Binning data failed with provided bin_size={bandwidth:f}, using data points as seeds.",
                    stacklevel=3,
                )
            else:
                seeds = binned.astype(np.float64)
    reach = np.inf if model.cluster_all else float(bandwidth)
    found = shift_seeds(places, seeds, float(bandwidth), max_iter=model.max_iter, reach=reach)
    if not len(found.centres):
        return False
    dtype = points.dtype if points.dtype.kind == "f" else np.float64
    model.cluster_centers_, model.labels_ = found.centres.astype(dtype, copy=False), found.labels
    model.n_iter_ = found.steps
    return True


@dataclass(kw_only=True, eq=False)
class _Alone:
    """Mean shift with a flat kernel for points in the plane, with scikit-learn's interface.

    Each seed climbs from mean to mean of the points within the bandwidth. Of the places where seeds come to rest, those
    with a heavier one within the bandwidth are dropped, and a point belongs to the nearest that is left.

    Args:
        bandwidth: The radius. None takes the mean distance within which three tenths of all points stand.
        seeds: (S, 2) starting points; None for the points themselves.
        bin_seeding: Starts from the bins of a grid of the bandwidth instead of from every point.
        min_bin_freq: Points that a bin needs to be a seed.
        cluster_all: Gives points farther than the bandwidth from every centre to the nearest. Else their label is -1.
        n_jobs: Ignored, as ptfast.set_num_threads decides.
        max_iter: The most steps of a seed after its first.

    Attributes:
        cluster_centers_: (C, 2), the heaviest first.
        labels_: (P,) int64.
        n_iter_: The most steps that a seed took before its last.
        n_features_in_: 2.
    """

    bandwidth: float | None = None
    seeds: Any = None
    bin_seeding: bool = False
    min_bin_freq: int = 1
    cluster_all: bool = True
    n_jobs: int | None = None
    max_iter: int = 300
    cluster_centers_: np.ndarray = field(init=False, repr=False)
    labels_: np.ndarray = field(init=False, repr=False)
    n_iter_: int = field(init=False, repr=False)
    n_features_in_: int = field(init=False, repr=False)

    def fit(self, X: Any, y: Any = None) -> _Alone:
        """Clusters points X (P, 2), whatever y is.

        Raises:
            ValueError: A parameter or a shape is wrong, a number not finite, or no seed sees a point.
            ImportError: The points are not in the plane, which needs scikit-learn.
        """
        if self.bandwidth is not None:
            check_number("bandwidth", self.bandwidth, np.nextafter(0, 1))
        check_integer("min_bin_freq", self.min_bin_freq, 1)
        check_integer("max_iter", self.max_iter, 0)
        points, seeds = _points("X", X), None if self.seeds is None else _points("seeds", self.seeds)
        if not len(points):
            raise ValueError("X must hold at least one point, got none")
        self.n_features_in_ = 2
        if not _fit(self, points, seeds):
            raise ValueError("bandwidth and seeds must leave a seed with a point within the bandwidth, got none")
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Clusters points X (P, 2) and gives their labels."""
        return self.fit(X).labels_

    def predict(self, X: Any) -> np.ndarray:
        """(P,) int64, the nearest centre of each point of X (P, 2)."""
        from ptfast.tracking.seeded_mean_shift import settle

        return settle(_points("X", X).astype(np.float64), self.cluster_centers_, 0.0, np.inf)[1]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments by name."""
        return {argument.name: getattr(self, argument.name) for argument in fields(self) if argument.init}

    def set_params(self, **params: Any) -> _Alone:
        """Sets constructor's arguments by name.

        Raises:
            ValueError: There is no such argument.
        """
        for name, value in params.items():
            if name not in self.get_params():
                raise ValueError(f"params must be among {', '.join(self.get_params())}, got {name!r}")
            setattr(self, name, value)
        return self


def _points(name: str, points: Any) -> np.ndarray:
    array = as_floats(name, np.asarray(points))
    check_shape(name, array, ("P", "features"))
    if array.shape[1] != 2:
        raise ImportError(
            f"MeanShift of points with {array.shape[1]} features needs scikit-learn: pip install scikit-learn"
        )
    check_finite(name, array)
    return array
