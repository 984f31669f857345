"""Training clips: a few frames and the tubes of the people in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ptfast._columns import dilate
from ptfast.pipeline.images import fit, fitted_size
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, joint_boxes


@dataclass(frozen=True, eq=False)
class Clip:
    """T frames of one size and the G people who are in any of them.

    Attributes:
        frames: (T, H, W, 3) uint8 red, green, blue.
        tubes: (G, T, 4) float32 xyxy; where a person is absent, the box of the nearest frame that has them.
        present: (G, T) bool.
        keypoints: (G, T, K, 2) float32 pixels.
        labelled: (G, T, K) bool.
        ignored: (T, H, W) bool, pixels of people who are not annotated one by one, or None: there are none.
    """

    frames: np.ndarray
    tubes: np.ndarray
    present: np.ndarray
    keypoints: np.ndarray
    labelled: np.ndarray
    ignored: np.ndarray | None = None


def cut_clip(frames: np.ndarray, poses: Poses, indices: Sequence[int]) -> Clip:
    """The clip of some frames of a video.

    A person's box is the extent of their labelled joints dilated by 20 %; where that is no area, for want of joints or
    because they lie on a line along the image's side, they count as absent.

    Args:
        frames: (T, H, W, 3) uint8.
        poses: The annotated video, with track ids.
        indices: T frame numbers in it.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 4.1, for the boxes.
    """
    views = [poses.frame(index) for index in indices]
    rows_of = [{int(track): row for row, track in enumerate(view.track_ids)} for view in views]
    people = sorted(set().union(*rows_of))
    count, length, joints = len(people), len(indices), len(poses.skeleton)
    keypoints = np.zeros((count, length, joints, 2), np.float32)
    labelled = np.zeros((count, length, joints), bool)
    for t, (view, rows) in enumerate(zip(views, rows_of, strict=True)):
        there = [g for g, track in enumerate(people) if track in rows]
        source = [rows[people[g]] for g in there]
        keypoints[there, t] = view.keypoints[source]
        labelled[there, t] = view.joint_visibility[source] > 0
    boxes = joint_boxes(keypoints.reshape(-1, joints, 2), labelled.reshape(-1, joints)).reshape(count, length, 4)
    present: np.ndarray = np.all(boxes[..., 2:] > boxes[..., :2], -1)  # shifts to a box without area are infinite
    tubes = fill_absent(dilate(boxes), present)
    seen = present.any(1)
    return Clip(frames, tubes[seen], present[seen], keypoints[seen], (labelled & present[..., None])[seen])


def fill_absent(tubes: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(G, T, 4) tubes with each absent frame's box taken from the nearest frame that has one."""
    filled = tubes.copy()
    for person, there in enumerate(present):
        known = np.flatnonzero(there)
        if len(known):
            nearest = np.abs(np.arange(len(there))[:, None] - known).argmin(1)
            filled[person] = tubes[person, known[nearest]]
    return filled


def mirror(clip: Clip, skeleton: Skeleton) -> Clip:
    """The clip left to right, with left and right joints swapped."""
    width = clip.frames.shape[2]
    order = np.arange(len(skeleton))
    for left, right in skeleton.flip_pairs:
        order[[left, right]] = right, left
    tubes = clip.tubes.copy()
    tubes[..., [0, 2]] = width - 1 - clip.tubes[..., [2, 0]]
    keypoints = clip.keypoints[:, :, order].copy()
    keypoints[..., 0] = width - 1 - keypoints[..., 0]
    return Clip(
        np.ascontiguousarray(clip.frames[:, :, ::-1]),
        tubes,
        clip.present,
        keypoints,
        clip.labelled[:, :, order],
        None if clip.ignored is None else np.ascontiguousarray(clip.ignored[:, :, ::-1]),
    )


def resize(clip: Clip, short: int, long: int) -> Clip:
    """The clip with its shorter side `short` pixels, or its longer side `long` pixels if that is smaller."""
    height, width = clip.frames.shape[1:3]
    size = fitted_size((height, width), short, long)[::-1]
    if size == (width, height):
        return clip
    frames = fit(list(clip.frames), short, long)
    ignored = None
    if clip.ignored is not None:
        masks = [cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) for mask in clip.ignored]
        ignored = np.stack(masks).astype(bool)
    factor = np.array(size, np.float32) / np.array([width, height], np.float32)
    keypoints = (clip.keypoints + 0.5) * factor - np.float32(0.5)
    tubes = (clip.tubes + 0.5) * np.tile(factor, 2) - np.float32(0.5)
    return Clip(frames, tubes, clip.present, keypoints, clip.labelled, ignored)


def at_random(
    clip: Clip, rng: np.random.Generator, short_sides: Sequence[int], long_side: int, skeleton: Skeleton
) -> Clip:
    """The clip in one of several sizes, and mirrored or not, by chance."""
    clip = resize(clip, int(rng.choice(short_sides)), long_side)
    return mirror(clip, skeleton) if rng.random() < 0.5 else clip
