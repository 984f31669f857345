"""What the `images` of a COCO or PoseTrack 2018 file say of each frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from ptfast.io._bulk import check_types, flags, floats, integers, optional, optional_integers
from ptfast.io._rows import polygons


def frame_columns(images: list[dict[str, Any]]) -> dict[str, Any]:
    """Frame columns of Poses; what only some images say is filled: labelled, size 0, no regions."""
    names = [image["file_name"] for image in images]
    check_types(names, str)
    with_width, width = optional_integers(images, "width", 0)
    with_height, height = optional_integers(images, "height", 0)
    labeled, given = optional(images, "is_labeled")
    is_labeled = np.ones(len(images), bool)
    is_labeled[labeled] = flags(given)
    return {
        "frame_names": tuple(names),
        "frame_ids": integers([image["id"] for image in images]),
        "is_labeled": is_labeled if labeled.size else None,
        "frame_size": np.stack([width, height], 1) if with_width.size and with_height.size else None,
        "ignore_regions": polygons([_regions(image) for image in images]),
    }


def _regions(image: dict[str, Any]) -> list[np.ndarray]:
    """The image's polygons."""
    if "ignore_regions_x" not in image and "ignore_regions_y" not in image:
        return []
    all_x, all_y = image["ignore_regions_x"], image["ignore_regions_y"]
    check_types((all_x, all_y), list)
    pairs = zip(all_x, all_y, strict=True)
    return [np.stack([_line(x), _line(y)], 1) for x, y in pairs]


def _line(values: Any) -> np.ndarray:
    check_types((values,), list)
    return floats(values)
