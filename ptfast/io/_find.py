"""The videos that paths, folders and patterns name."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from ptfast.io._pictures import IMAGES, VIDEOS, files_in, natural_key


def find_videos(patterns: Sequence[str | Path]) -> list[Path]:
    """The videos that paths and patterns name, for `open_video` to open one by one.

    A file stands for itself, a folder with images in it for a video in frames, and a folder without images for each
    video in it. A pattern (`clips/*.mp4`, `**` for folders at any depth) stands for the folders of this kind, the
    videos and the images that it matches.

    Args:
        patterns: Files, folders and patterns. A name that exists is no pattern, whatever characters it has.

    Returns:
        Paths in the order of `patterns`, those of one pattern or folder in natural order (clip2 before clip10), each
        place on the disk once.

    Raises:
        FileNotFoundError: A path does not exist, or a pattern matches no video.
        ValueError: A folder has neither images nor videos.
    """
    found: dict[Path, Path] = {}
    for pattern in patterns:
        for path in _named_by(pattern):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _named_by(pattern: str | Path) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        inside = _in_folder(path)
        if not inside:
            raise ValueError(f"{path}: expected a folder of images or of videos, found neither in it")
        return inside
    if path.exists():
        return [path]
    if not glob.has_magic(str(pattern)):
        raise FileNotFoundError(f"{pattern}: no such file or folder")
    matches = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True), key=natural_key)]
    found = [video for match in matches for video in _matched(match)]
    if not found:
        raise FileNotFoundError(f"{pattern}: expected a pattern of videos, found none among {len(matches)} matches")
    return found


def _matched(path: Path) -> list[Path]:
    if path.is_dir():
        return _in_folder(path)
    return [path] if path.suffix.lower() in IMAGES | VIDEOS else []


def _in_folder(folder: Path) -> list[Path]:
    return [folder] if files_in(folder, IMAGES) else files_in(folder, VIDEOS)
