"""Annotation files of a training or validation set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ptfast.io import read_sequences
from ptfast.skeletons import Skeleton
from ptfast.structures import Poses


def annotation_files(source: Path, part: str) -> list[Path]:
    """Finds annotation files.

    Args:
        source: A file, a folder of JSON files, or a folder with annotations/`part`.
        part: "train" or "val".

    Raises:
        FileNotFoundError: There are none.
    """
    if source.is_file():
        return [source]
    for folder in (source, source / "annotations" / part):
        if found := sorted(folder.glob("*.json")):
            return found
    raise FileNotFoundError(
        f"{source}: expected a JSON file, or a folder with some or with annotations/{part}; there is none"
    )


def read_annotations(source: Path, part: str) -> Iterator[tuple[Path, Poses]]:
    """Reads the sequences that have frames, each with the file that it is in; arguments as in `annotation_files`."""
    for path in annotation_files(source, part):
        for poses in read_sequences(path).values():
            if len(poses):
                yield path, poses


def read_skeleton(path: Path) -> Skeleton:
    """Reads the joints of an annotation file."""
    return next(iter(read_sequences(path).values())).skeleton


def image_root(path: Path, name: str, images: Path | None) -> Path:
    """Finds the folder from which an image's name leads to a file.

    Args:
        path: The annotation file that names it.
        name: The image's name there.
        images: The folder, if it is known; None looks in the annotation file's own and the three above it.

    Raises:
        FileNotFoundError: There is no such image.
    """
    folders = [images] if images is not None else [*path.resolve().parents][:4]
    for folder in folders:
        if (folder / name).is_file():
            return folder
    sought = ", ".join(str(folder / name) for folder in folders)
    raise FileNotFoundError(f"{path}: expected the image {name}, but there is none of {sought}")
