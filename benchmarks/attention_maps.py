"""Attention of a pose entailment network to the joints of two poses: figure 8 of KeyTrack in kind."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

from ptfast._columns import frame_of_rows
from ptfast.models import PoseEntailment
from ptfast.models.pair_columns import PairColumns
from ptfast.structures import Poses

matplotlib.use("Agg")
from matplotlib import pyplot

APART = 4  # frames


def draw_attention(network: PoseEntailment, sequences: Iterable[Poses], path: Path) -> None:
    """Draws, for a pair of one person and one of two, how much each joint is looked at from all others.

    Each line joins a joint with the one that it looks at most in the last layer, its heads averaged; a line's width is
    that share.

    Args:
        network: In evaluation mode.
        sequences: Poses with ids, of which the first is taken that has such pairs.
        path: Picture to write.

    Raises:
        StopIteration: None has.
    """
    poses, pairs = next((poses, pairs) for poses in sequences if (pairs := first_pairs(poses)) is not None)
    columns = PairColumns(network.architecture, network.skeleton, poses, poses, pairs, np.full(2, APART), None)
    tensors = columns.some(slice(0, 2))
    last = network.attention(tensors)[-1].mean(1).numpy()
    scores = network.match_scores(poses, poses, pairs, np.full(2, APART))
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 5))
    for place, title in enumerate(("one person", "two people")):
        draw_pair(axes[place], poses, pairs[place], last[place])
        axes[place].set_title(f"{title}, {APART} frames apart: {100 * scores[place]:.1f} % one")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def first_pairs(poses: Poses) -> NDArray[np.int64] | None:
    """(2, 2) rows, earlier and current: a pair of one person and one of them and their nearest neighbour, if any."""
    centres, frames = poses.boxes.reshape(-1, 2, 2).mean(1), frame_of_rows(poses.frame_offsets)
    for current in np.flatnonzero(frames >= APART):
        before = np.flatnonzero(frames == frames[current] - APART)
        own = before[poses.track_ids[before] == poses.track_ids[current]]
        others = before[poses.track_ids[before] != poses.track_ids[current]]
        seen = (poses.joint_visibility > 0).sum(1)
        if len(own) and len(others) and min(seen[[current, own[0]]]) >= 10:
            nearest = others[np.linalg.norm(centres[others] - centres[current], axis=1).argmin()]
            if seen[nearest] >= 10:
                return np.array([[own[0], current], [nearest, current]])
    return None


def draw_pair(axis: pyplot.Axes, poses: Poses, pair: NDArray[np.int64], attention: np.ndarray) -> None:
    """Draws both poses, and from each joint of the current one its way to the joint that it looks at most.

    Args:
        axis: Where to draw.
        poses: The sequence.
        pair: (2,) rows, earlier and current.
        attention: (L, L) of the pair's L tokens; with one for each joint of both poses, lines join a pose's own joints.
    """
    both = pair[::-1]  # the current pose first, as the network reads them
    points = poses.keypoints[both]
    seen = poses.joint_visibility[both] > 0
    for place, colour in enumerate(("tab:blue", "tab:orange")):
        for a, b in poses.skeleton.edges:
            if seen[place, a] and seen[place, b]:
                axis.plot(*points[place, [a, b]].T, color=colour, alpha=0.35, linewidth=2)
        axis.scatter(*points[place, seen[place]].T, s=14, color=colour, label=("current", "earlier")[place])
    tokens = points.reshape(-1, 2)[: len(attention)]
    there = seen.reshape(-1)[: len(attention)]
    for row in np.flatnonzero(there[: points.shape[1]]):
        to = int(np.where(there, attention[row], 0).argmax())
        axis.plot(*tokens[[row, to]].T, color="black", linewidth=6 * float(attention[row, to]), alpha=0.5)
    axis.invert_yaxis()
    axis.set_aspect("equal")
    axis.legend(fontsize=8)
