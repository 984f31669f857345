"""Endless training clips from annotated videos and pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import Dataset

from ptfast import io
from ptfast.io.images import read_image
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, joint_boxes
from ptfast.training.clips import Clip, at_random, cut_clip

REACH = 4  # frames from an unlabelled frame to a labelled one that tells where people are


class AnnotatedClips(Dataset):
    """Clips of adjacent frames of PoseTrack videos, or of COCO pictures. Clip i is the same whenever it is asked for.

    A clip's middle frame is annotated and shows somebody with joints that span a box; every such frame comes once
    before any comes again, in an order of each round's own. At a video's ends the first or last frame stands again for
    those beyond. A file none of whose people have track ids is a collection of pictures, each of them a clip of T times
    the same.

    What a file says of people without giving their joints, by crowds, ignore regions and people none of whose joints
    are labelled, is neither a person nor background: see `Clip.ignored`. Frames that nobody has labelled, between
    those that are, have the boxes of the people in the clip's labelled frames, interpolated; their joints have none.

    Args:
        source: A PoseTrack 2017 or 2018 file, a folder of them, the dataset's own folder (then it is its
            annotations/train), or a COCO keypoints file.
        length: T.
        skeleton: The model's joints; those that the file lacks are unlabelled.
        images: The folder that the file's picture names start from; None looks in the file's own and those above it.
        short_sides: The pictures' shorter side in pixels is one of these, by chance.
        long_side: The longer side, at most.
        seed: Another seed is another order.

    Raises:
        FileNotFoundError: There are no annotations, or a sequence's first picture is missing.
        ValueError: A file is not as it should be, or no frame shows anybody.
    """

    def __init__(
        self,
        source: str | Path,
        length: int,
        *,
        skeleton: Skeleton = POSETRACK_15,
        images: str | Path | None = None,
        short_sides: Sequence[int] = (256,),
        long_side: int = 333,
        seed: int = 0,
    ) -> None:
        self.length, self.skeleton, self.seed = length, skeleton, seed
        self.short_sides, self.long_side = tuple(short_sides), long_side
        self.sequences = list(read_sequences(Path(source), skeleton, None if images is None else Path(images)))
        self.centres = [
            (number, int(frame)) for number, sequence in enumerate(self.sequences) for frame in sequence.centres()
        ]
        if not self.centres:
            raise ValueError(f"{source}: expected labelled people in at least one frame, found none")

    def __getitem__(self, index: int) -> Clip:
        """Clip `index`, 0 or more."""
        turn, place = divmod(index, len(self.centres))
        number, centre = self.centres[round_order(self.seed, turn, len(self.centres))[place]]
        clip = self.sequences[number].clip(centre, self.length)
        return at_random(
            clip, np.random.default_rng([self.seed, 1, index]), self.short_sides, self.long_side, self.skeleton
        )


@lru_cache(maxsize=2)
def round_order(seed: int, turn: int, count: int) -> np.ndarray:
    """In which order the centres come in a round."""
    return np.random.default_rng([seed, 0, turn]).permutation(count)


@dataclass(frozen=True, eq=False)
class AnnotatedSequence:
    """A video, or a collection of pictures.

    Attributes:
        poses: What is annotated, in the model's joints, with ids that are distinct within each frame.
        paths: F image files.
        is_video: Whether a frame's neighbours are those before and after it; a picture is its own neighbour.
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
        """The clip of `length` frames about a labelled one."""
        frames = [centre] * length
        if self.is_video:
            frames = [min(max(centre - length // 2 + t, 0), len(self.paths) - 1) for t in range(length)]
        shown = {frame: read_picture(self.paths[frame]) for frame in sorted(set(frames))}
        for frame, image in shown.items():
            if image.shape != shown[centre].shape:
                raise ValueError(
                    f"{self.paths[frame]}: expected a picture of shape {shown[centre].shape} as {self.paths[centre]}, "
                    f"found {image.shape}"
                )
        times = sorted({*frames, *(time for frame in frames for time in self.around(frame))})
        clip = cut_clip(np.stack([shown[frame] for frame in frames]), self.poses, times)
        ignored = np.stack([self.ignored(frame if self.labelled[frame] else centre, shown[centre]) for frame in frames])
        return replace(self.interpolated(clip, times, frames), ignored=ignored if ignored.any() else None)

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
        tubes, present = clip.tubes[people].copy(), clip.present[people]
        unknown = [column for column in columns if not self.labelled[times[column]]]
        at = np.array(times, np.float32)
        for tube, there in zip(tubes, present.copy(), strict=True):
            for side in range(4):
                tube[unknown, side] = np.interp(at[unknown], at[there], tube[there, side])
        present = present.copy()
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
    """The sequences of annotation files that have frames; arguments as in AnnotatedClips.

    Args:
        source: A file, a folder of files, or a folder with annotations/`part`.
        skeleton: The model's joints.
        images: The folder that the files' picture names start from, or None.
        part: "train" or "val".
    """
    for path in annotation_files(source, part):
        for poses in io.read_sequences(path).values():
            if len(poses):
                yield prepare(poses, path, skeleton, images)


def annotation_files(source: Path, part: str) -> list[Path]:
    """A file itself, or the JSON files of a folder or, if it has none, of its annotations/`part`."""
    if source.is_file():
        return [source]
    for folder in (source, source / "annotations" / part):
        if found := sorted(folder.glob("*.json")):
            return found
    raise FileNotFoundError(
        f"{source}: expected a JSON file, or a folder with some or with annotations/{part}; there is none"
    )


def read_skeleton(path: Path) -> Skeleton:
    """The joints of an annotation file."""
    return next(iter(io.read_sequences(path).values())).skeleton


def prepare(poses: Poses, path: Path, skeleton: Skeleton, images: Path | None) -> AnnotatedSequence:
    """What clips are cut from: the poses that the file `path` says, and where their pictures are."""
    names = poses.frame_names
    if names is None:
        raise ValueError(f"{path}: expected names of pictures, found none")
    poses = poses.numpy()
    labelled = np.ones(len(poses), bool) if poses.is_labeled is None else poses.is_labeled
    poses = poses.select(np.repeat(labelled, np.diff(poses.frame_offsets))).to_skeleton(skeleton)
    is_video = bool((poses.track_ids >= 0).any())
    own = -1 - np.arange(len(poses.track_ids))
    poses = poses.with_track_ids(np.where(poses.track_ids >= 0, poses.track_ids, own))
    extents = joint_boxes(poses.keypoints, poses.joint_visibility)
    spans: np.ndarray = np.all(extents[:, 2:] > extents[:, :2], 1)
    root = image_root(path, names[0], images)
    return AnnotatedSequence(poses, tuple(root / name for name in names), is_video, spans, labelled)


def image_root(path: Path, name: str, images: Path | None) -> Path:
    """The folder from which a picture's name leads to a file."""
    folders = [images] if images is not None else [*path.resolve().parents][:4]
    for folder in folders:
        if (folder / name).is_file():
            return folder
    sought = ", ".join(str(folder / name) for folder in folders)
    raise FileNotFoundError(f"{path}: expected the picture {name}, but there is none of {sought}")


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It cannot be decoded.
    """
    image = read_image(path)
    if image is None:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a picture that the annotations name, found no such file")
        raise ValueError(f"{path}: expected a picture, found what cannot be decoded")
    return image
