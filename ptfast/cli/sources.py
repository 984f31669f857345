"""What ptfast track is given: files and folders, or one live source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ptfast.io import find_videos
from ptfast.io.live import is_live, live_label, live_name


@dataclass(frozen=True)
class Source:
    """A video to track.

    Attributes:
        given: What `open_video` opens: a path, or a camera's number, a stream's address, "-".
        label: A name for messages.
        name: The sequence's name, which files are named after.
        title: A name for the progress bar.
    """

    given: Path | str
    label: str
    name: str
    title: str

    @property
    def path(self) -> Path | None:
        """The file or folder; None of a live source, which cannot be read again."""
        return self.given if isinstance(self.given, Path) else None


def find_sources(given: Sequence[str]) -> list[Source]:
    """The videos that paths and patterns name, or a live source, which stands alone.

    Raises:
        FileNotFoundError, ValueError: As `find_videos`; or a live source is not alone.
    """
    live = [text for text in given if is_live(text)]
    if not live:
        return [of_path(path) for path in find_videos(given)]
    if len(given) > 1:
        raise ValueError(f"{live_label(live[0])}: expected a live source alone, got {len(given)} videos")
    name = live_name(live[0])
    return [Source(live[0], live_label(live[0]), name, name)]


def of_path(path: Path) -> Source:
    """A file or a folder of images."""
    return Source(path, str(path), path.name if path.is_dir() else path.stem, path.name)
