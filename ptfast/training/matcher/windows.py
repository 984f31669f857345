"""Windows of videos with track ids, from which the matcher learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch.utils.data import Dataset

from ptfast.structures import Poses
from ptfast.training.data.left_out import warn_of_left_out
from ptfast.training.matcher.config import MatcherConfig
from ptfast.training.matcher.pairs import Pairs, pairs_of


@dataclass(frozen=True, eq=False)
class Window:
    """Some frames of a video.

    Attributes:
        poses: Their poses, with track ids.
        features: (N, A) appearance features of these, or None.
        pairs: Pairs of their tracks and detections.
    """

    poses: Poses
    features: np.ndarray | None
    pairs: Pairs


class Windows(Dataset):
    """Windows of random videos from random frames on. Window i is the same whenever it is asked for.

    Args:
        tracks: Videos with track ids and frame_size, NumPy; those without a track are left out.
        config: Length and number of the windows, and the seed of their places.
        features: For each video (N, A) appearance features of its N poses, or None.

    Raises:
        ValueError: No video has a track.

    Warns:
        UserWarning: Of videos without a track.
    """

    def __init__(
        self, tracks: Sequence[Poses], config: MatcherConfig, features: Sequence[np.ndarray] | None = None
    ) -> None:
        columns = [None] * len(tracks) if features is None else features
        pairs = zip(tracks, columns, strict=True)
        self.videos = [(poses, column) for poses, column in pairs if (poses.track_ids >= 0).any()]
        if not self.videos:
            raise ValueError("tracks must hold a pose with a track id, got none")
        missing = len(tracks) - len(self.videos)
        warn_of_left_out("tracks", missing, len(tracks), "videos", "nobody in them has a track id")
        self.frames = config.frames
        self.places = self._draw_places(config)

    def _draw_places(self, config: MatcherConfig) -> list[tuple[int, int]]:
        """Video and first frame of each window: step by step, first the videos of a step."""
        rng = np.random.default_rng(config.seed)
        places = []
        for _ in range(config.steps):
            for number in rng.integers(len(self.videos), size=config.batch).tolist():
                surplus = max(len(self.videos[number][0]) - config.frames, 0)
                places.append((number, int(rng.integers(surplus + 1))))
        return places

    def __getitem__(self, index: int) -> Window:
        """Window `index`, 0 or more; all of a video that is shorter than a window."""
        number, first = self.places[index]
        video, features = self.videos[number]
        poses = video[first : first + self.frames]
        if features is not None:
            start = video.frame_offsets[first]
            features = features[start : start + len(poses.scores)]
        return Window(poses, features, pairs_of(poses))
