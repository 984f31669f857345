"""Clips about key frames, and their tracklets as the poses of a frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ptfast.io import Frame
from ptfast.methods._windows import Segment
from ptfast.structures import Poses, Tracklets


def clip_index(frames: Sequence[Frame], key: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Which frames the clip about a key frame takes.

    Args:
        frames: Of one shot, the last perhaps repeated.
        key: The key frame's place among them.
        length: |C|.

    Returns:
        (|C|,) int64 places, the nearest of the shot where the clip sticks out; and (|C|,) bool, where it does not.
    """
    wanted = np.arange(key - length // 2, key + length // 2 + 1)
    taken = wanted.clip(0, len(frames) - 1)
    there = [
        frames[place].index == frames[key].index + offset for place, offset in zip(taken, wanted - key, strict=True)
    ]
    return taken, np.array(there)


def without_padding(segment: Segment) -> list[Frame]:
    """A segment's frames, each once."""
    frames = segment.frames
    return [frame for place, frame in enumerate(frames) if place == 0 or frame.index > frames[place - 1].index]


def key_frames(segment: Segment, step: int, reach: int) -> list[int]:
    """Which of a segment's frames are key frames.

    Every frame whose number the step divides is one, and a shot's first and last frame where none of those reaches it.

    Args:
        segment: Of a video.
        step: S.
        reach: Frames on either side of a key frame that its clip holds.
    """
    frames = without_padding(segment)
    if frames[0].image is None:
        return []
    keys = {place for place in segment.results if frames[place].index % step == 0}
    begins, ends = segment.results.start == 0, segment.results.stop == len(frames)
    first, last = frames[0].index, frames[-1].index
    earliest, latest = -(-first // step) * step, last // step * step  # of the regular ones
    if begins and (earliest > first + reach or (ends and earliest > last)):
        keys.add(0)
    if ends and latest < last - reach and not (begins and last - first <= reach and 0 in keys):
        keys.add(len(frames) - 1)
    return sorted(keys)


def pack(frame: Frame, tracklets: Tracklets) -> Poses:
    """A key frame's tracklets as the poses of one frame, T rows each, so that they are kept as all poses are."""
    m, t, k = tracklets.keypoints.shape[:3]
    size = (0, 0) if frame.image is None else frame.image.shape[1::-1]
    return Poses(
        keypoints=tracklets.keypoints.reshape(m * t, k, 2),
        joint_scores=tracklets.joint_scores.reshape(m * t, k),
        boxes=tracklets.boxes.repeat(t, 0),
        scores=tracklets.scores.repeat(t),
        frame_offsets=np.array([0, m * t]),
        skeleton=tracklets.skeleton,
        frame_names=(frame.name,),
        frame_ids=np.array([frame.index]),
        frame_size=np.array([size]),
    )


def unpack(poses: Poses, length: int) -> Tracklets:
    """The tracklets of T = length frames that `pack` made into a frame's poses; first_frame counts from frame_ids."""
    count, joints = len(poses.scores) // length, len(poses.skeleton)
    if count * length != len(poses.scores):
        raise ValueError(f"hypotheses must be of clips of {length} frames, got {len(poses.scores)} poses in a frame")
    key = 0 if poses.frame_ids is None else int(poses.frame_ids[0])
    return Tracklets(
        keypoints=poses.keypoints.reshape(count, length, joints, 2),
        joint_scores=poses.joint_scores.reshape(count, length, joints),
        first_frame=np.full(count, key - length // 2),
        skeleton=poses.skeleton,
        boxes=poses.boxes[::length],
        scores=poses.scores[::length],
    )
