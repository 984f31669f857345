"""Room for mean shift: the arrays in which a thread solves one set of points after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ptfast.tracking._kernels.compiling import maker


class Points(NamedTuple):
    """Points in the plane and their weights, (P,) each, with room for a last lane of eight."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray


class Centres(NamedTuple):
    """Places where points come to rest, (P,) each."""

    x: np.ndarray
    y: np.ndarray
    mass: np.ndarray  # the weight of the points in the window there


class Windows(NamedTuple):
    """Four windows that are shifted together, (4,) each."""

    x: np.ndarray  # the middle
    y: np.ndarray
    mean_x: np.ndarray  # the mean of the points in the window
    mean_y: np.ndarray
    mass: np.ndarray  # their weight


class States(NamedTuple):
    """The places that windows come by, (S,) each but `buckets` and `earlier`."""

    x: np.ndarray
    y: np.ndarray
    mass: np.ndarray  # the weight of the points in the window about the place
    following: np.ndarray  # the state at their mean
    rests: np.ndarray  # 1 if a climb ends with the following state, else 0
    end: np.ndarray  # its number among the places where points come to rest, -1 if it is none
    chained: np.ndarray  # the state before it in its bucket
    buckets: np.ndarray  # (B,) the last state of each bucket, counted from the first set on, -1 for none
    earlier: np.ndarray  # (1,) the states of the sets before, which buckets may still name


class Space(NamedTuple):
    """Room for a set of points and what becomes of it."""

    points: Points  # a set
    centres: Centres  # the centres of its clusters
    labels: np.ndarray  # (P,) the cluster of each point
    binned: Points  # the points, ordered by bins
    starts: np.ndarray  # (P + 2,) where each bin begins
    place: np.ndarray  # (P,) where each point is in `binned`; for few points the set of points in its window
    nearest: np.ndarray  # (P,) the squared distance to the nearest centre
    windows: Windows
    states: States


@maker
def make_space(points: int, max_iter: int) -> Space:
    """Room for sets of up to so many points: rows of two tables. What a set does not touch costs no memory."""
    width = points * (max_iter + 4) + 64
    r, n = np.empty((18, width)), np.empty((9, width), np.int64)
    n[0, 0] = 0
    for bucket in range(4 * points + 16):
        n[1, bucket] = -1
    return Space(
        Points(r[0], r[1], r[2]), Centres(r[3], r[4], r[5]), n[2], Points(r[6], r[7], r[8]), n[3], n[4], r[9],
        Windows(r[10], r[11], r[12], r[13], r[14]),
        States(r[15], r[16], r[17], n[5], n[6], n[7], n[8], n[1], n[0]),
    )  # fmt: skip
