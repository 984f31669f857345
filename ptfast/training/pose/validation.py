"""Scores of a pose network in training: the joints that it finds in clips that it has never seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from tqdm import tqdm

from ptfast._columns import dilate
from ptfast.models import PoseNetwork, estimate_tubes
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, head_sizes, joint_boxes
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.training.data.annotated_sequences import AnnotatedSequence, read_image
from ptfast.training.data.synthetic_clips import FRAMES, random_film
from ptfast.training.pose.config import PoseConfig

Shown = tuple[np.ndarray, Poses, Sequence[int]]  # a clip (T, H, W, 3), its video's truth, and its T frames there


def validate_pose(model: PoseNetwork, config: PoseConfig, skeleton: Skeleton = POSETRACK_15) -> dict[str, float]:
    """Share of the joints of synthetic validation videos that a network finds.

    Args:
        model: The network; it stays on its device.
        config: Of its training.
        skeleton: The network's joints.

    Returns:
        "pck": the percentage of labelled joints within half a head size of the truth, boxes given, unmirrored. For
        clips also "pck_centre" and "pck_ends", of the middle and of the first and last frames alone.
    """
    return score(model, synthetic_clips(config), config, skeleton)


def validate_pose_annotated(
    model: PoseNetwork, sequences: list[AnnotatedSequence], config: PoseConfig, skeleton: Skeleton
) -> dict[str, float]:
    """Share of the joints of annotated videos that a network finds; arguments otherwise, and result, as above.

    Args:
        model: The network.
        sequences: Of `ptfast.training.data.annotated_sequences.read_sequences`.
        config: Of its training.
        skeleton: The network's joints.
    """
    return score(model, annotated_clips(sequences, config.frames), config, skeleton)


def synthetic_clips(config: PoseConfig) -> Iterator[Shown]:
    """The first and the last clip of each validation film."""
    reach = config.frames // 2
    for seed in tqdm(
        range(VALIDATION_SEEDS, VALIDATION_SEEDS + config.validation_videos), "validation", delay=1, leave=False
    ):
        film = random_film(seed, FRAMES, config.short_side)
        for key in sorted({reach, FRAMES - 1 - reach}):
            frames = range(key - reach, key + reach + 1)
            yield np.stack([film.image(frame) for frame in frames]), film.poses, frames


def annotated_clips(sequences: list[AnnotatedSequence], length: int) -> Iterator[Shown]:
    """Clips one after the other about frames that show somebody, as far as they lie within their videos."""
    for sequence in tqdm(sequences, "validation", delay=1, leave=False):
        reach = length // 2 if sequence.is_video else 0
        last = -length
        for key in sequence.centres():
            if reach <= key < len(sequence.paths) - reach and key >= last + length:
                frames = range(key - reach, key + reach + 1) if sequence.is_video else [key] * length
                yield np.stack([read_image(sequence.paths[frame]) for frame in frames]), sequence.poses, frames
                last = key


def score(model: PoseNetwork, clips: Iterable[Shown], config: PoseConfig, skeleton: Skeleton) -> dict[str, float]:
    """Share of the joints of clips that a network finds; the result is that of `validate_pose`."""
    right, asked = np.zeros(config.frames), np.zeros(config.frames)
    device = next(model.parameters()).device
    for images, truth, frames in clips:
        rows = followed(truth, frames)
        boxes = dilate(joint_boxes(truth.keypoints, truth.joint_visibility)[rows[:, len(frames) // 2]])
        if not len(boxes):
            continue
        index = np.broadcast_to(np.arange(len(frames)), rows.shape)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.mixed_precision):
            found, _ = estimate_tubes(
                model, torch.from_numpy(images).to(device), boxes, index, size=config.size, flip=False,
                skeleton=skeleton,
            )  # fmt: skip
        labelled = (rows[..., None] >= 0) & (truth.joint_visibility[rows] > 0)
        near = np.linalg.norm(found - truth.keypoints[rows], axis=-1) <= head_sizes(truth)[rows][..., None] / 2
        right += (near & labelled).sum((0, 2))
        asked += labelled.sum((0, 2))
    return figures(right, asked)


def followed(poses: Poses, frames: Sequence[int]) -> np.ndarray:
    """(M, T) rows of the people in the middle of some frames whose joints span a box; -1 where one is not there."""
    spans = joint_boxes(poses.keypoints, poses.joint_visibility)
    offsets, middle = poses.frame_offsets, frames[len(frames) // 2]
    keys = np.arange(offsets[middle], offsets[middle + 1])
    keys = keys[(spans[keys, 2:] > spans[keys, :2]).all(1)]
    rows = np.full((len(keys), len(frames)), -1)
    for t, frame in enumerate(frames):
        there = np.arange(offsets[frame], offsets[frame + 1])
        person, row = np.nonzero(poses.track_ids[keys][:, None] == poses.track_ids[there])
        rows[person, t] = there[row]
    return rows


def figures(right: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Percentages of the joints that are asked for, (T,), which are right, (T,)."""
    length = len(right)
    parts = {"pck": range(length), "pck_centre": [length // 2], "pck_ends": [0, length - 1]}
    shares = {name: 100 * right[list(at)].sum() / max(1, asked[list(at)].sum()) for name, at in parts.items()}
    return {name: round(float(share), 3) for name, share in shares.items() if name == "pck" or length > 1}
