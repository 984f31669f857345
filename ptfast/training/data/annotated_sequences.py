"""Annotated videos and collections of images, from which clips are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ptfast.io.images import read_image as decode_image
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses, joint_boxes
from ptfast.training.data.annotation_files import image_root, read_annotations
from ptfast.training.data.clips import Clip, cut_clip

REACH = 4  # frames from an unlabelled frame to a labelled one that tells where people are


@dataclass(frozen=True, eq=False)
class AnnotatedSequence:
    """A video, or a collection of images.

    Attributes:
        poses: The annotated people, in the model's joints, with ids that are distinct within each frame.
        paths: F image files.
        is_video: True where a frame's neighbours are those before and after it; an image is its own neighbour.
        spans: (N,) bool: people whose labelled joints span a box.
        labelled: (F,) bool.
    """

    poses: Poses
    paths: tuple[Path, ...]
    is_video: bool
    spans: np.ndarray
    labelled: np.ndarray

    def centres(self) -> np.ndarray:
        """Labelled frames that show somebody."""
        before = np.append(0, np.cumsum(self.spans))
        people = np.diff(before[self.poses.frame_offsets])
        return np.flatnonzero(self.labelled & (people > 0))

    def clip(self, centre: int, length: int) -> Clip:
        """Cuts the clip of `length` frames about a labelled one."""
        frames = [centre] * length
        if self.is_video:
            frames = [min(max(centre - length // 2 + t, 0), len(self.paths) - 1) for t in range(length)]
        images = self.images(frames, centre)
        times = sorted({*frames, *(time for frame in frames for time in self.around(frame))})
        clip = cut_clip(np.stack([images[frame] for frame in frames]), self.poses, times)
        ignored = np.stack(
            [self.ignored(frame if self.labelled[frame] else centre, images[centre]) for frame in frames]
        )
        return replace(self.interpolated(clip, times, frames), ignored=ignored if ignored.any() else None)

    def images(self, frames: list[int], centre: int) -> dict[int, np.ndarray]:
        """Reads the images (H, W, 3) of some frames, which must have the size of the middle one."""
        images = {frame: read_image(self.paths[frame]) for frame in sorted(set(frames))}
        shape = images[centre].shape
        for frame, image in images.items():
            if image.shape != shape:
                raise ValueError(
                    f"{self.paths[frame]}: expected an image of shape {shape} as {self.paths[centre]}, "
                    f"found {image.shape}"
                )
        return images

    def around(self, frame: int) -> list[int]:
        """The nearest labelled frames before and after one that is not, as far as they are in reach."""
        if self.labelled[frame]:
            return []
        last = len(self.labelled) - 1
        sides = (range(frame - 1, max(frame - REACH, 0) - 1, -1), range(frame + 1, min(frame + REACH, last) + 1))
        return [time for side in sides for time in [t for t in side if self.labelled[t]][:1]]

    def interpolated(self, clip: Clip, times: list[int], frames: list[int]) -> Clip:
        """The columns `frames` of a clip of `times`, with boxes in unlabelled ones, of the people who are in these."""
        columns = [times.index(frame) for frame in frames]
        people = clip.present[:, columns].any(1)
        tubes, present = clip.tubes[people].copy(), clip.present[people].copy()
        unknown = [column for column in columns if not self.labelled[times[column]]]
        at = np.array(times, np.float32)
        for tube, there in zip(tubes, present, strict=True):
            for side in range(4):
                tube[unknown, side] = np.interp(at[unknown], at[there], tube[there, side])
        present[:, unknown] = True
        return Clip(
            clip.frames,
            tubes[:, columns],
            present[:, columns],
            clip.keypoints[people][:, columns],
            clip.labelled[people][:, columns],
        )

    def ignored(self, frame: int, image: np.ndarray) -> np.ndarray:
        """(H, W) bool pixels of a labelled frame where people are who are not annotated one by one."""
        mask = np.zeros(image.shape[:2], np.uint8)
        regions = [] if self.poses.ignore_regions is None else list(self.poses.ignore_regions[frame])
        rows = slice(*self.poses.frame_offsets[frame : frame + 2])
        for x1, y1, x2, y2 in self.poses.boxes[rows][~self.spans[rows]]:
            if x2 > x1 and y2 > y1:
                regions.append(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]))
        for polygon in regions:
            cv2.fillPoly(mask, [np.round(polygon).astype(np.int32)], 1)
        return mask.astype(bool)


def read_sequences(
    source: Path, skeleton: Skeleton, images: Path | None, part: str = "train"
) -> Iterator[AnnotatedSequence]:
    """Reads the sequences of annotation files that have frames; arguments as in `AnnotatedClips`.

    Args:
        source: A file, a folder of files, or a folder with annotations/`part`.
        skeleton: The model's joints.
        images: The folder that the files' image names start from, or None.
        part: "train" or "val".
    """
    for path, poses in read_annotations(source, part):
        yield make_sequence(poses, path, skeleton, images)


def make_sequence(poses: Poses, path: Path, skeleton: Skeleton, images: Path | None) -> AnnotatedSequence:
    """Prepares the poses of the file `path` for clips, and finds their images."""
    names = poses.frame_names
    if names is None:
        raise ValueError(f"{path}: expected names of images, found none")
    poses = poses.numpy()
    labelled = np.ones(len(poses), bool) if poses.is_labeled is None else poses.is_labeled
    poses = poses.select(np.repeat(labelled, np.diff(poses.frame_offsets)))
    poses = poses.to_skeleton(skeleton, extrapolate_head=False)  # networks learn joints that somebody has seen
    is_video = bool((poses.track_ids >= 0).any())
    own = -1 - np.arange(len(poses.track_ids))
    poses = poses.with_track_ids(np.where(poses.track_ids >= 0, poses.track_ids, own))
    extents = joint_boxes(poses.keypoints, poses.joint_visibility)
    spans: np.ndarray = np.all(extents[:, 2:] > extents[:, :2], 1)
    root = image_root(path, names[0], images)
    return AnnotatedSequence(poses, tuple(root / name for name in names), is_video, spans, labelled)


def read_image(path: Path) -> np.ndarray:
    """Reads (H, W, 3) uint8 RGB of an image file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be decoded.
    """
    image = decode_image(path)
    if image is None:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected an image that the annotations name, found no such file")
        raise ValueError(f"{path}: expected an image, found what cannot be decoded")
    return image
