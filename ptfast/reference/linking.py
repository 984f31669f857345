"""Linking one frame after the other in plain NumPy: the specification of ptfast.tracking.link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from ptfast.reference.oks import oks_matrix
from ptfast.structures import Poses, pose_areas

SURE_SHARE, SHIFT_ROUNDS, INERTIA, HORIZON, MIN_AREA_SHARE, USUAL_SIZE_SHARE = 1 / 6, 2, 0.5, 4, 1 / 3, 0.5

Pair = tuple[int, int, int]  # earlier row, current row, frames between them
Costs = Callable[[list[int], list[int], np.ndarray], np.ndarray]  # of earlier rows, moved by so much, and current rows


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
        self.joints = (self.poses.joint_visibility > 0).sum(1)
        self.usual_areas, self.most_joints = self.areas.copy(), self.joints.copy()

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
                self.hand_sizes_down(pairs)
        return self.ids()

    def cascade(self, t: int, shift: np.ndarray) -> list[Pair]:
        pairs: list[Pair] = []
        limit = 1 if np.isinf(self.max_cost) else self.max_cost
        distances = range(1, min(self.lookback, t) + 1)
        for d in distances if self.velocity_model else ():
            pairs += self.match(t, d, SURE_SHARE * limit, shift, pairs, self.costs)
        for d in distances:
            pairs += self.match(t, d, self.max_cost, shift, pairs, self.costs)
            pairs += self.match(t, d, USUAL_SIZE_SHARE * limit, shift, pairs, self.usual_costs)
        return pairs

    def match(self, t: int, d: int, gate: float, shift: np.ndarray, pairs: list[Pair], costs_of: Costs) -> list[Pair]:
        used, found = {i for i, _, _ in pairs} | self.taken, {j for _, j, _ in pairs}
        earlier = [i for i in self.frame(t - d) if i not in used]
        current = [j for j in self.frame(t) if j not in found]
        move = self.velocity[earlier] * min(d, HORIZON) + shift
        costs = costs_of(earlier, current, move)
        rows, columns = linear_sum_assignment(np.minimum(costs, gate))
        return [(earlier[a], current[b], d) for a, b in zip(rows, columns, strict=True) if costs[a, b] <= gate]

    def costs(self, earlier: list[int], current: list[int], move: np.ndarray) -> np.ndarray:
        """Costs at the current poses' own areas."""
        areas = np.broadcast_to(self.areas[current], (len(earlier), len(current)))
        return self.costs_at(areas, earlier, current, move)

    def usual_costs(self, earlier: list[int], current: list[int], move: np.ndarray) -> np.ndarray:
        """Costs at the earlier poses' usual areas, infinite where the current pose does not show less."""
        areas = np.broadcast_to(self.usual_areas[earlier][:, None], (len(earlier), len(current)))
        fewer = self.most_joints[earlier][:, None] > self.joints[current]
        costs = self.costs_at(areas, earlier, current, move)
        return np.where(fewer & (areas > self.areas[current]), costs, np.inf)

    def costs_at(self, areas: np.ndarray, earlier: list[int], current: list[int], move: np.ndarray) -> np.ndarray:
        poses = self.poses
        costs = np.zeros(areas.shape)
        for row, (i, area, shift) in enumerate(zip(earlier, areas, move, strict=True)):
            costs[row] = 1 - oks_matrix(
                poses.keypoints[i : i + 1] + shift,
                poses.keypoints[current],
                area=area,
                sigmas=self.sigmas,
                a_visible=poses.joint_visibility[i : i + 1],
                b_visible=poses.joint_visibility[current],
            )
        return costs

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

    def hand_sizes_down(self, pairs: list[Pair]) -> None:
        for i, j, _ in pairs:
            if self.most_joints[i] > self.joints[j]:
                self.usual_areas[j] = max(self.areas[j], self.usual_areas[i])
                self.most_joints[j] = self.most_joints[i]

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
