"""All poses of all training videos in one table, in which pairs are found without a loop over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ptfast._columns import frame_of_rows, offsets_of
from ptfast.models.pair_columns import pose_centres
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, joint_boxes
from ptfast.training.data.left_out import warn_of_left_out


@dataclass(frozen=True, eq=False)
class PoseTable:
    """N poses of F frames, those of one video after those of another.

    Attributes:
        skeleton: The K joints.
        keypoints: (N, K, 2) float32 pixels, 0 where absent.
        visible: (N, K) bool.
        joint_scores: (N, K) float32.
        ids: (N,) int64 people, distinct in all videos; -1 for nobody.
        frames: (N,) int64 frame of each pose.
        offsets: (F + 1,) int64 rows of each frame.
        first: (F,) int64 the first frame of each frame's video.
        frame_size: (F, 2) float32 width and height.
        centres: (N, 2) float32.
        sizes: (N,) float32 longer side of each pose in pixels, at least 1.
        known: Rows of the poses with an id.
        keys: Frame and person as one number, of the rows `known`, in rising order of `keys`.
        sorted_rows: The rows of `keys`.
    """

    skeleton: Skeleton
    keypoints: np.ndarray
    visible: np.ndarray
    joint_scores: np.ndarray
    ids: np.ndarray
    frames: np.ndarray
    offsets: np.ndarray
    first: np.ndarray
    frame_size: np.ndarray
    centres: np.ndarray
    sizes: np.ndarray
    known: np.ndarray
    keys: np.ndarray
    sorted_rows: np.ndarray

    @staticmethod
    def of(tracks: Sequence[Poses]) -> PoseTable:
        """The table of videos with track ids and frame_size, NumPy and of one skeleton.

        Poses without joints are left out, and videos without a track.

        Raises:
            ValueError: No video has a track, skeletons differ, or frame_size is missing.

        Warns:
            UserWarning: Of what is left out.
        """
        videos = [poses for poses in tracks if (poses.track_ids >= 0).any()]
        if not videos:
            raise ValueError("tracks must hold a pose with a track id, got none")
        missing = len(tracks) - len(videos)
        warn_of_left_out("tracks", missing, len(tracks), "videos", "nobody in them has a track id")
        skeletons = {poses.skeleton.name: poses.skeleton for poses in videos}
        if len({skeleton.joints for skeleton in skeletons.values()}) > 1:
            raise ValueError(f"tracks must share one skeleton, got {sorted(skeletons)}")
        if any(poses.frame_size is None for poses in videos):
            raise ValueError("tracks must have frame_size, got None")
        kept = [poses.select((poses.joint_visibility > 0).any(1)) for poses in videos]
        total, left = (sum(len(poses.scores) for poses in some) for some in (videos, kept))
        warn_of_left_out("tracks", total - left, total, "poses", "they have no joint")
        return _table(kept)

    def rows_of(self, frames: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """(P,) int64 rows of people in frames, -1 where they are not there."""
        wanted = frames * (self.ids.max() + 1) + ids
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where((self.keys[place] == wanted) & (ids >= 0), self.sorted_rows[place], -1)


def _table(videos: Sequence[Poses]) -> PoseTable:
    keypoints, visible, scores, frame_size = (
        np.concatenate(columns)
        for columns in zip(
            *((each.keypoints, each.joint_visibility > 0, each.joint_scores, each.frame_size) for each in videos),
            strict=True,
        )
    )
    offsets = offsets_of(np.concatenate([np.diff(each.frame_offsets) for each in videos]))
    starts = np.cumsum([0] + [len(each) for each in videos])
    frames, ids = frame_of_rows(offsets), _distinct_ids(videos)
    boxes = joint_boxes(keypoints, visible)
    known = np.flatnonzero(ids >= 0)
    keys = frames[known] * (ids.max() + 1) + ids[known]
    order = np.argsort(keys)
    return PoseTable(
        skeleton=videos[0].skeleton,
        keypoints=np.where(visible[..., None], keypoints, np.float32(0)),
        visible=visible,
        joint_scores=scores,
        ids=ids,
        frames=frames,
        offsets=offsets,
        first=np.repeat(starts[:-1], np.diff(starts)),
        frame_size=frame_size.astype(np.float32),
        centres=pose_centres(keypoints, visible),
        sizes=np.maximum((boxes[:, 2:] - boxes[:, :2]).max(1), np.float32(1)),
        known=known,
        keys=keys[order],
        sorted_rows=known[order],
    )


def _distinct_ids(videos: Sequence[Poses]) -> np.ndarray:
    """(N,) int64 ids from 0 in the order of videos, -1 for none."""
    parts, start = [], 0
    for poses in videos:
        names, own = np.unique(poses.track_ids[poses.track_ids >= 0], return_inverse=True)
        ids = np.full(len(poses.track_ids), -1, np.int64)
        ids[poses.track_ids >= 0] = own + start
        parts.append(ids)
        start += len(names)
    return np.concatenate(parts)
