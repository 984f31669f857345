"""Images of a COCO file as frames of videos, each in order of time."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ptfast.io._gather import Numbers, OptionalFlag, OptionalInteger
from ptfast.io.frame_numbers import numbers_of_names
from ptfast.structures import Poses

_VideoId = str | int | UnsetType | None


class Image(msgspec.Struct, gc=False):
    """An entry of `images`; PoseTrack calls the video's id vid_id, other files video_id."""

    id: int
    file_name: str
    frame_id: Any = UNSET
    vid_id: _VideoId = UNSET
    video_id: _VideoId = UNSET
    width: OptionalInteger = ()
    height: OptionalInteger = ()
    is_labeled: OptionalFlag = ()
    ignore_regions_x: tuple[Numbers, ...] | UnsetType = UNSET
    ignore_regions_y: tuple[Numbers, ...] | UnsetType = UNSET


@dataclass(frozen=True)
class Video:
    """Images of one video.

    Attributes:
        id: What the file calls the video, None where only a folder does.
        folder: The folder of its first image, without slashes at the ends.
        images: F indices of its images, in order of time.
        numbers: F numbers of its frames, rising.
    """

    id: str | int | None
    folder: str
    images: list[int]
    numbers: list[int]


def videos_of(images: Sequence[Image]) -> list[Video]:
    """The videos in order of their first images."""
    groups: dict[tuple[str | int | None, str], list[int]] = {}
    for index, image in enumerate(images):
        given = image.vid_id if image.vid_id not in (UNSET, None) else image.video_id
        key = (None, _folder(image)) if given in (UNSET, None) else (given, "")
        groups.setdefault(key, []).append(index)
    return [_video(video, images, group) for (video, _), group in groups.items()]


def _folder(image: Image) -> str:
    return posixpath.dirname(image.file_name.replace("\\", "/")).strip("./")


def _video(video: str | int | None, images: Sequence[Image], group: list[int]) -> Video:
    by_id = sorted(group, key=lambda index: images[index].id)
    numbers = [images[index].id for index in by_id]
    names = [images[index].file_name for index in by_id]
    told = numbers_of_names(names)
    if told is not None and names == sorted(names) and all(b == a + 1 for a, b in pairwise(numbers)):
        in_time = told.argsort().tolist()
        if in_time != sorted(in_time):  # the ids count names in alphabetical order
            by_id, numbers = [by_id[index] for index in in_time], told[in_time].tolist()
    return Video(video, _folder(images[group[0]]), by_id, numbers)


def split_videos(poses: Poses, videos: Sequence[Video], sequence: str) -> Poses | dict[str, Poses]:
    """The poses of a file, of which `sequence` is the name, or by name those of each video if it has several."""
    if len(videos) <= 1:
        return replace(poses, sequence=sequence)
    parts, first = {}, 0
    for name, video in zip(_names(videos, sequence), videos, strict=True):
        parts[name] = replace(poses[first : first + len(video.images)], sequence=name)
        first += len(video.images)
    return dict(sorted(parts.items()))


def _names(videos: Sequence[Video], sequence: str) -> list[str]:
    """A distinct name for each video: of its folder, of the folders above it too, its id, or that of the file."""
    folders = [video.folder for video in videos]
    ids = ["" if video.id is None else str(video.id) for video in videos]
    for names in ([posixpath.basename(folder) for folder in folders], ids, [f.replace("/", "-") for f in folders]):
        if all(names) and len(set(names)) == len(names):
            return names
    return [f"{sequence}-{index}" for index in range(len(videos))]
