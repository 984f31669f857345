"""Image and video files in folders, in the order of their numbers, and the videos that paths and patterns name."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

IMAGES = frozenset({".bmp", ".jp2", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
VIDEOS = frozenset(
    {".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4"}
    | {".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Sorts names by the numbers in them: frame2 before frame10, and 7 before 007."""
    parts = re.split(r"(\d+)", name)
    return [int(part) if odd else part for part, odd in zip(parts, [False, True] * len(parts), strict=False)], name


def files_in(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """The files of a folder that have one of the suffixes, in natural order, hidden ones left out."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and not path.name.startswith(".")]
    return sorted((path for path in found if path.is_file()), key=lambda path: natural_key(path.name))


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
    matches = [Path(match) for match in sorted(set(_matches(str(pattern))), key=natural_key)]
    found = [video for match in matches for video in _matched(match)]
    if not found:
        raise FileNotFoundError(f"{pattern}: expected a pattern of videos, found none among {len(matches)} matches")
    return found


def _matches(pattern: str) -> Iterator[str]:
    """What a pattern matches, as `glob` does, but each folder below ** once."""
    parts = Path(pattern).parts
    if "**" not in parts:
        yield from glob.iglob(pattern)
        return
    at = parts.index("**")
    after = parts[at + 1 :] or ("*",)
    for root in glob.iglob(str(Path(*parts[:at]))) if at else ["."]:
        if at == len(parts) - 1:
            yield root
        for folder in _folders(root):
            yield from _matches(str(Path(glob.escape(folder), *after)))


def _folders(root: str) -> Iterator[str]:
    """A folder and those in it at any depth, hidden ones left out; a link to a folder above is no endless way."""
    known: set[tuple[int, int]] = set()
    for folder, inside, _ in os.walk(root, followlinks=True):
        state = os.stat(folder)
        if (state.st_dev, state.st_ino) in known:
            inside.clear()
            continue
        known.add((state.st_dev, state.st_ino))
        inside[:] = [name for name in inside if not name.startswith(".")]
        yield folder


def _matched(path: Path) -> list[Path]:
    if path.is_dir():
        return _in_folder(path)
    return [path] if path.suffix.lower() in IMAGES | VIDEOS and path.is_file() else []


def _in_folder(folder: Path) -> list[Path]:
    return [folder] if files_in(folder, IMAGES) else files_in(folder, VIDEOS)
