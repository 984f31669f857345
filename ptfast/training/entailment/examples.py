"""Pairs of poses by number, from which the network learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ptfast.models.pose_pairs import PosePairs
from ptfast.training.entailment.augmentation import PairArrays, augment
from ptfast.training.entailment.config import EntailmentConfig
from ptfast.training.entailment.pairs import Drawn, PairSampler, shifts_of
from ptfast.training.entailment.table import PoseTable


@dataclass(frozen=True)
class LabelledPairs:
    """Pairs with their classes.

    Attributes:
        pairs: P pairs.
        labels: (P,) int64 1 for the same person, else 0.
    """

    pairs: PosePairs
    labels: Tensor

    def to(self, device: torch.device) -> LabelledPairs:
        """The pairs on a device."""
        return LabelledPairs(self.pairs.to(device), self.labels.to(device))

    @staticmethod
    def concatenate(parts: Sequence[LabelledPairs]) -> LabelledPairs:
        """All pairs of the parts, in order."""
        pairs = PosePairs.concatenate([part.pairs for part in parts])
        return LabelledPairs(pairs, torch.cat([part.labels for part in parts]))


class PairExamples(Dataset):
    """Examples of config.pairs pairs. Example i is the same whenever it is asked for.

    Args:
        table: The poses.
        config: Number and augmentation of the pairs, and the seed.
        augmented: False leaves pairs as they are.

    Raises:
        ValueError: The table has no matching or no non-matching pairs.
    """

    def __init__(self, table: PoseTable, config: EntailmentConfig, *, augmented: bool = True) -> None:
        self.table, self.config, self.augmented = table, config, augmented
        self.sampler = PairSampler(table, config.augmentation.strides, config.architecture.delta, config.near)
        self[0]  # says at once what is missing

    def __getitem__(self, index: int) -> LabelledPairs:
        """Example `index`, 0 or more."""
        rng = np.random.default_rng([self.config.seed, index])
        same = self.config.pairs // 2
        halves = self.sampler.matching(rng, same), self.sampler.non_matching(rng, self.config.pairs - same)
        drawn = Drawn(*(np.concatenate([getattr(half, name) for half in halves]) for name in ("rows", "apart")))
        arrays = self._arrays(drawn.rows)
        if self.augmented:
            arrays = augment(arrays, self.config.augmentation, self.table.skeleton, rng)
        labels = np.repeat([1, 0], [same, self.config.pairs - same])
        segments = np.stack([np.zeros_like(drawn.apart), drawn.apart - 1], 1)
        keypoints = np.where(arrays.visible[..., None], arrays.keypoints, np.float32(0))
        columns = (keypoints, arrays.visible, arrays.joint_scores, segments, arrays.frame_size)
        return LabelledPairs(PosePairs(*map(torch.from_numpy, columns)), torch.from_numpy(labels))

    def _arrays(self, rows: np.ndarray) -> PairArrays:
        """The poses of pairs, the earlier one moved by the camera's shift if the network wants that."""
        table = self.table
        keypoints = table.keypoints[rows]
        if self.config.architecture.camera_shift:
            keypoints[:, 1] += shifts_of(table, rows)[:, None]
        frame_size = table.frame_size[table.frames[rows[:, 0]]]
        return PairArrays(keypoints, table.visible[rows], table.joint_scores[rows], table.sizes[rows], frame_size)
