"""Records that Python gives to the kernels and gets from them. This file needs no Numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SPATIOTEMPORAL, SPATIAL, TEMPORAL, HIGHEST = range(4)


class Sets(NamedTuple):
    """B sets of points, one after the other."""

    points: np.ndarray  # (P, 2)
    weights: np.ndarray  # (P,), or (0,) for none
    offsets: np.ndarray  # (B + 1,) where each set begins
    bandwidths: np.ndarray  # (B,)


class Found(NamedTuple):
    """The clusters of B sets of points."""

    centres: np.ndarray  # (P, 2), those of set b from offsets[b] on
    counts: np.ndarray  # (B,) clusters of each set
    labels: np.ndarray  # (P,) the cluster of each point, counted within its set


class Climbs(NamedTuple):
    """The climbs of S seeds."""

    places: np.ndarray  # (S, 2) where each rests
    mass: np.ndarray  # (S,) the number of points that gave it that place, 0 for a seed that saw none
    steps: np.ndarray  # (S,) its steps before the last


class Graph(NamedTuple):
    """N clusters in L layers, a layer a frame; layer l holds the clusters first[l] to last[l]."""

    x: np.ndarray  # (N,) their centres mu
    y: np.ndarray  # (N,)
    data: np.ndarray  # (N,) the data term 1 - |C| / |H| of a step to each
    first: np.ndarray  # (L,)
    last: np.ndarray  # (L,)
    smoothness: np.ndarray  # (L,) lambda, the cost of a unit of distance, of a step to each layer


class TrackletArrays(NamedTuple):
    """M tracklets of T frames, whose entry m * T + t is frame t of tracklet m."""

    keypoints: np.ndarray  # (M * T, K, 2) float32
    joint_scores: np.ndarray  # (M * T, K) float32
    scores: np.ndarray  # (M,) of the detections
    box_heads: np.ndarray  # (M,) head sizes that follow from the boxes
    length: int  # T
    head_top: int  # the joints whose distance is the head size, -1 if there are none
    head_bottom: int


class Plan(NamedTuple):
    """The layout of P people, their I tracklets, and a cell for each frame of each person's span."""

    people: np.ndarray  # (P,) track ids, rising
    order: np.ndarray  # (I,) tracklets by person, then first frame
    first: np.ndarray  # (I,) their first frames
    offsets: np.ndarray  # (P + 1,) where each person begins in `order`
    spans: np.ndarray  # (P, 2) the frames from the first to the last that a person's tracklets cover, from and up to
    cells: np.ndarray  # (P + 1,) where each person's cells begin
    rows: np.ndarray  # (cells,) where each cell stands in the order of frames, then people
    frame_offsets: np.ndarray  # (F + 1,) where each frame begins in that order


class Cells(NamedTuple):
    """Values over all tracklets that cover each cell of a plan."""

    heads: np.ndarray  # (cells,) median head size, 0 where none covers it
    scores: np.ndarray  # (cells,) mean detection score, NaN where none covers it


class Options(NamedTuple):
    """The arguments of `merge_hypotheses` that the kernels need."""

    merge: int  # SPATIOTEMPORAL, SPATIAL, TEMPORAL or HIGHEST
    dijkstra: bool  # Dijkstra's algorithm, not Viterbi's
    weighted: bool  # hypotheses are weighted by their scores in mean shift
    in_radii: bool  # distances are in radii of the frame that a step leads to, not in pixels
    smoothness: float  # lambda, the cost of a unit of distance
    min_score: float  # a hypothesis counts if its score is higher
    max_iter: int  # largest number of shifts of a point after its first


class Piece(NamedTuple):
    """Ranges of people and of joints."""

    begin: int
    end: int
    joint_begin: int
    joint_end: int


class Merged(NamedTuple):
    """The merged joints, in the plan's rows."""

    keypoints: np.ndarray  # (R, K, 2) float32
    scores: np.ndarray  # (R, K) float32
    visibility: np.ndarray  # (R, K) uint8: 2, or 1 between frames with hypotheses, 0 elsewhere
