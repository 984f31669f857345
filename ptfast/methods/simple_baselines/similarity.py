"""M_sim, the similarity of a frame's poses with those of Q, and ids by it (sections 3.2 and 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ptfast.methods.simple_baselines.config import Config
from ptfast.methods.simple_baselines.queue import counted, is_own, is_tracked
from ptfast.ops import iou_matrix, oks_matrix
from ptfast.structures import Poses, pose_areas
from ptfast.tracking import TrackLinker

SIMILARITY = "similarity"  # name of the feature that holds M_sim
APART = -np.inf  # similarity with a pose that is not in Q, or that flow has lost


def similarity_matrix(queue: Poses, poses: Poses, config: Config) -> np.ndarray:
    """F_sim: similarity of every pose of Q with every pose of a frame (algorithm 1, line 11).

    Args:
        queue: Q poses, carried to the frame where the similarity is one of flow.
        poses: M poses of the frame.
        config: Settings.

    Returns:
        (Q, M) float32: IoU of boxes, or OKS (equation 1) over the joints that count in both.
    """
    if config.similarity == "bbox":
        return iou_matrix(queue.boxes, poses.boxes)
    sigmas = np.array(poses.skeleton.sigmas, np.float32) * np.float32(config.sigma_scale)
    return oks_matrix(
        queue.keypoints,
        poses.keypoints,
        area=pose_areas(poses),
        sigmas=sigmas,
        a_visible=counted(queue, config),
        b_visible=counted(poses, config),
    )


def by_frame_and_row(similarity: np.ndarray, queue: Poses, lookback: int) -> np.ndarray:
    """(M, L_Q, R) similarity of each pose with the pose at row r of the frame d + 1 frames ago.

    The last row is nobody's.

    Args:
        similarity: (Q, M).
        queue: The Q poses.
        lookback: L_Q.
    """
    ago, row = queue.features["frames_ago"], queue.features["row"]
    table = np.full((similarity.shape[1], lookback, row.max(initial=-1) + 2), APART, np.float32)
    table[:, ago - 1, row] = similarity.T
    return table


class SimilarityAssociation:
    """Association of poses with tracks by M_sim, for `ptfast.tracking.TrackLinker`.

    A track's state is the row of its newest pose among those of its frame, so that M_sim, which travels with the poses,
    is all that costs are read from.
    """

    def observe(self, poses: Poses) -> tuple[np.ndarray, int]:
        """M_sim (M, L_Q, R) of one frame, and M."""
        return poses.features[SIMILARITY], len(poses.scores)

    def costs(self, states: np.ndarray, observation: tuple[np.ndarray, int], unseen: np.ndarray) -> np.ndarray:
        """(N, M) 1 - similarity."""
        table, _ = observation
        return 1 - table[:, unseen - 1, np.minimum(states, table.shape[2] - 1)].T

    def advance(
        self, states: np.ndarray, observation: tuple[np.ndarray, int], previous: np.ndarray, steps: np.ndarray
    ) -> np.ndarray:
        """The rows of a frame's poses."""
        return np.arange(observation[1])

    def start(self) -> np.ndarray:
        """No row at all."""
        return np.zeros(0, np.int64)

    def select(self, states: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The states of some tracks, by their rows."""
        return states[rows]

    def concatenate(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """The states of all parts' tracks, in order."""
        return np.concatenate(parts)


class QueueLinker:
    """Gives the poses of records ids as they come (algorithm 1, lines 11 and 12).

    An id goes from its newest pose in Q to a pose of the new frame: first among ids of the frame before, then, for the
    poses that are left, among those last given two frames before, and so on. Q counts the frames that were decoded.

    Args:
        config: Settings.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._linker = TrackLinker(
            SimilarityAssociation(), matcher=config.matcher, lookback=config.lookback, max_cost=config.max_cost
        )
        self._present: list[int] = []  # ids in the last frame that was decoded
        self._frame_is_lost = False

    def update(self, record: Poses) -> Poses:
        """Links the next frame.

        Args:
            record: What `SimpleBaselines.detect` gives of it.

        Returns:
            The poses that are tracked, with track_ids.
        """
        own = is_own(record)
        poses, queue = (replace(record.select(own & is_tracked(record)), features={}), record.select(~own))
        self._frame_is_lost = record.frame_size is not None and not record.frame_size.any()
        if self._frame_is_lost:
            return poses
        table = by_frame_and_row(similarity_matrix(queue, poses, self._config), queue, self._config.lookback)
        linked = self._linker.update(replace(poses, features={SIMILARITY: table}, frame_ids=None))
        self._present = linked.track_ids.tolist()
        return poses.with_track_ids(linked.track_ids)

    def lost_tracks(self) -> list[int]:
        """Ids that nobody has in the newest frame and that the next frame may still take up, ascending."""
        waiting = self._present if self._frame_is_lost else []
        return sorted({*self._linker.lost_tracks(), *waiting})
