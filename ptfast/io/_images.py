"""Image files, and pictures that the caller has, as the frames of a video."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sized
from pathlib import Path

import numpy as np

from ptfast._check import check_dtype, check_shape
from ptfast.io._pictures import read_image

Picture = tuple[np.ndarray | None, float | None]  # (H, W, 3) uint8 RGB or None, and seconds from the video's start


class ImageFiles:
    """Image files as the frames of a video."""

    fps: float | None = None

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self.length: int | None = len(paths)

    def pictures(self, first: int) -> Generator[Picture]:
        """The images from `first` on."""
        for path in self._paths[first:]:
            yield read_image(path), None


class GivenImages:
    """The caller's pictures as the frames of a video."""

    fps: float | None = None

    def __init__(self, images: Iterable[np.ndarray | None]) -> None:
        if not isinstance(images, Iterable):
            raise TypeError(f"source must be a path or an iterable of images, got {type(images).__name__}")
        self._images = images
        self.length = len(images) if isinstance(images, Sized) else None

    def pictures(self, first: int) -> Generator[Picture]:
        """The pictures from `first` on, checked."""
        for index, image in enumerate(self._images):
            if index < first:
                continue
            if image is not None:
                check_shape(f"source[{index}]", image, ("H", "W", 3))
                check_dtype(f"source[{index}]", image, ("uint8",))
            yield image, None
