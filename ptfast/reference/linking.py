"""Linking one frame after the other in plain NumPy: the specification of ptfast.tracking.link."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from ptfast.reference.oks import oks_matrix
from ptfast.structures import Poses, pose_areas

SURE_SHARE, SHIFT_ROUNDS, INERTIA, HORIZON, MIN_AREA_SHARE = 1 / 6, 2, 0.5, 4, 1 / 3

Pair = tuple[int, int, int]  # earlier row, current row, frames between them


@dataclass
class _Linker:
    poses: Poses
    lookback: int
    velocity_model: bool
    sigmas: np.ndarray
    max_cost: float
    taken: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        count = len(self.poses.scores)
        self.predecessor = np.full(count, -1)
        self.velocity = np.zeros((count, 2))
        longer = (self.poses.boxes[:, 2:] - self.poses.boxes[:, :2]).max(1, initial=0)
        self.areas = np.maximum(pose_areas(self.poses), MIN_AREA_SHARE * longer**2)

    def frame(self, t: int) -> list[int]:
        return list(range(self.poses.frame_offsets[t], self.poses.frame_offsets[t + 1]))

    def run(self) -> np.ndarray:
        for t in range(len(self.poses)):
            pairs = self.cascade(t, np.zeros(2))
            for _ in range(SHIFT_ROUNDS if self.velocity_model else 0):
                if (rest := self.residuals(pairs)).size:
                    pairs = self.cascade(t, np.median(rest, 0))
            for i, j, _ in pairs:
                self.predecessor[j] = i
                self.taken.add(i)
            if self.velocity_model:
                self.set_velocities(t, pairs)
        return self.ids()

    def cascade(self, t: int, shift: np.ndarray) -> list[Pair]:
        pairs: list[Pair] = []
        sure = SURE_SHARE * (1 if np.isinf(self.max_cost) else self.max_cost)
        for gate in [sure, self.max_cost] if self.velocity_model else [self.max_cost]:
            for d in range(1, min(self.lookback, t) + 1):
                pairs += self.match(t, d, gate, shift, pairs)
        return pairs

    def match(self, t: int, d: int, gate: float, shift: np.ndarray, pairs: list[Pair]) -> list[Pair]:
        used, found = {i for i, _, _ in pairs} | self.taken, {j for _, j, _ in pairs}
        earlier = [i for i in self.frame(t - d) if i not in used]
        current = [j for j in self.frame(t) if j not in found]
        move = self.velocity[earlier] * min(d, HORIZON) + shift
        costs = 1 - self.similarity(earlier, current, move)
        rows, columns = linear_sum_assignment(np.minimum(costs, gate))
        return [(earlier[a], current[b], d) for a, b in zip(rows, columns, strict=True) if costs[a, b] <= gate]

    def similarity(self, earlier: list[int], current: list[int], move: np.ndarray) -> np.ndarray:
        poses = self.poses
        return oks_matrix(
            poses.keypoints[earlier] + move[:, None],
            poses.keypoints[current],
            area=self.areas[current],
            sigmas=self.sigmas,
            a_visible=poses.joint_visibility[earlier],
            b_visible=poses.joint_visibility[current],
        )

    def displacement(self, i: int, j: int) -> np.ndarray:
        """(common joints, 2) pixels from row i to row j."""
        both = (self.poses.joint_visibility[i] > 0) & (self.poses.joint_visibility[j] > 0)
        return (self.poses.keypoints[j] - self.poses.keypoints[i])[both]

    def residuals(self, pairs: list[Pair]) -> np.ndarray:
        """(joints, 2) displacements that the velocities did not foresee."""
        moves = [self.displacement(i, j) - self.velocity[i] * min(d, HORIZON) for i, j, d in pairs]
        return np.concatenate([np.zeros((0, 2)), *moves])

    def set_velocities(self, t: int, pairs: list[Pair]) -> None:
        for i, j, d in pairs:
            move = self.displacement(i, j)
            box = self.poses.boxes[[i, j]].reshape(2, 2, 2).mean(1)
            measured = (move.mean(0) if len(move) else box[1] - box[0]) / d
            follows = self.predecessor[i] >= 0
            self.velocity[j] = INERTIA * self.velocity[i] + (1 - INERTIA) * measured if follows else measured
        rows = [j for _, j, _ in pairs]
        for j in set(self.frame(t)) - set(rows) if rows else ():
            self.velocity[j] = np.median(self.velocity[rows], 0)

    def ids(self) -> np.ndarray:
        ids, following = np.empty(len(self.predecessor), np.int64), 0
        for j, i in enumerate(self.predecessor):
            if i < 0:
                ids[j], following = following, following + 1
            else:
                ids[j] = ids[i]
        return ids


def link_ids(poses: Poses, *, lookback: int, motion: str, sigma_scale: float, max_cost: float | None) -> np.ndarray:
    """(N,) track ids by OKS and Hungarian matching, in float64, after all filters; arguments as in `link`."""
    limit = np.inf if max_cost is None else max_cost
    sigmas = np.array(poses.skeleton.sigmas) * sigma_scale
    return _Linker(poses, lookback, motion == "velocity", sigmas, limit).run()
