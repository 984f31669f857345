"""Videos with track ids: detections of synthetic scenes, and annotations."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ptfast.ops import assign, pckh_matrix
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import detections, scene
from ptfast.training.data.annotated_sequences import read_image
from ptfast.training.data.annotation_files import image_root, read_annotations


def identified(found: Poses, truth: Poses) -> Poses:
    """Gives detections the ids of the annotated people that they are of.

    Args:
        found: Detections.
        truth: Annotated poses of the same frames, with ids.

    Returns:
        The detections; -1 for those that lie within half a head size of fewer than 40 % of anybody's common joints.
    """
    found, truth = found.numpy(), truth.numpy()
    ids, sizes = np.full(len(found.scores), -1, np.int64), head_sizes(truth).astype(np.float32)
    for frame in range(len(truth)):
        a = slice(*found.frame_offsets[frame : frame + 2])
        b = slice(*truth.frame_offsets[frame : frame + 2])
        visible = {"a_visible": found.joint_visibility[a], "b_visible": truth.joint_visibility[b]}
        share = pckh_matrix(found.keypoints[a], truth.keypoints[b], head_sizes=sizes[b], **visible)
        person = assign(1 - share, max_cost=0.6)
        ids[a] = np.where(person >= 0, np.append(truth.track_ids[b], -1)[person], -1)
    return found.with_track_ids(ids)


def synthetic_tracks(count: int, seed: int = 0, *, frames: int = 64) -> list[Poses]:
    """Identified detections of synthetic scenes.

    There are two sizes of frames, 3 to 10 people, moving cameras, 12 or 25 frames a second, and detectors from nearly
    perfect to mediocre. In half of the videos scores tell nothing, as after a high threshold.

    Args:
        count: Number of scenes.
        seed: Of the first one; the next has the next seed.
        frames: Of each scene.
    """
    return [
        _synthetic_track(number, frames) for number in tqdm(range(seed, seed + count), "scenes", delay=1, leave=False)
    ]


def _synthetic_track(number: int, frames: int) -> Poses:
    rng = np.random.default_rng(number)
    truth = scene(
        number,
        frames=frames,
        people=int(rng.integers(3, 11)),
        size=((640, 360), (256, 256))[number % 2],
        fps=float(rng.choice([12.0, 25.0])),
        pan=float(rng.uniform(0, 6)),
        shake=float(rng.uniform(0, 0.2)),
    )
    jitter, miss, drop = rng.uniform((0.05, 0, 0), (0.22, 0.1, 0.05))
    found = identified(detections(truth, number, jitter=jitter, miss=miss, joint_drop=drop), truth)
    return found if number // 2 % 2 else _sure(found, rng)


def _sure(poses: Poses, rng: np.random.Generator) -> Poses:
    present = (poses.joint_visibility > 0).astype(np.float32)
    return replace(poses, joint_scores=present, scores=rng.uniform(0.95, 1, len(poses.scores)))


def annotated_tracks(source: Path, skeleton: Skeleton, images: Path | None, part: str = "train") -> list[Poses]:
    """Reads the annotated people of videos.

    Args:
        source: A file, a folder of files, or a folder with annotations/`part`.
        skeleton: The matcher's joints.
        images: The folder that the files' image names start from; None looks in the file's own and those above it.
            Images are read only where a file does not say how large they are.
        part: "train" or "val".

    Raises:
        FileNotFoundError: There are no annotations, or an image whose size is needed is missing.
        ValueError: A file is not as it should be, or nobody has a track id.
    """
    tracks = [
        with_frame_size(poses.numpy(), path, images).to_skeleton(skeleton)
        for path, poses in read_annotations(source, part)
    ]
    if not any((poses.track_ids >= 0).any() for poses in tracks):
        raise ValueError(f"{source}: expected people with track ids, found none")
    return tracks


def with_frame_size(poses: Poses, path: Path, images: Path | None) -> Poses:
    """Poses with frame_size: the size of the video's first image, where the file `path` does not say it."""
    if poses.frame_size is not None:
        return poses
    if poses.frame_names is None:
        raise ValueError(f"{path}: expected sizes of frames or names of images, found neither")
    name = poses.frame_names[0]
    height, width = read_image(image_root(path, name, images) / name).shape[:2]
    return replace(poses, frame_size=np.tile([width, height], (len(poses), 1)))


def tracks_without_images(
    source: Path, skeleton: Skeleton, images: Path | None = None, part: str = "train"
) -> list[Poses]:
    """Reads the annotated people of videos, of which no images are needed; arguments as in `annotated_tracks`.

    Where a file does not say how large its frames are and no folder of images is given, they reach as far as the joints
    of the video do.

    Raises:
        FileNotFoundError: There are no annotations.
        ValueError: A file is not as it should be.

    Warns:
        UserWarning: Of videos whose frames are of unknown size.
    """
    tracks, guessed = [], 0
    for path, poses in read_annotations(source, part):
        poses = poses.numpy().to_skeleton(skeleton, extrapolate_head=False)
        if images is not None:
            poses = with_frame_size(poses, path, images)
        guessed += poses.frame_size is None
        tracks.append(with_joint_extent(poses))
    if guessed:
        warnings.warn(
            f"{source}: sizes of the frames of {guessed:,} of {len(tracks):,} videos are taken from their joints, as "
            "the files do not say them",
            stacklevel=2,
        )
    return tracks


def with_joint_extent(poses: Poses) -> Poses:
    """NumPy poses with frame_size: as far as the video's joints reach, where it is not known."""
    if poses.frame_size is not None:
        return poses
    places = poses.keypoints[poses.joint_visibility > 0]
    size = np.ceil(places.max(0, initial=1)).astype(np.int64)
    return replace(poses, frame_size=np.tile(size, (len(poses), 1)))
