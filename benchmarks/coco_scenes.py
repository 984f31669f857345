"""Scenes made of COCO's images and the people annotated in them: crowds of many images, close-ups of one person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from people_in_pictures import read_image

MARGIN = 0.1  # of a person's box, around it in a close-up
CLOSE = 96  # pixels of the longer side of whoever is shown close up; of smaller people little can be seen
KEPT = ("id", "category_id", "iscrowd", "num_keypoints", "area")


@dataclass(frozen=True, eq=False)
class Scene:
    """An image and its people.

    Attributes:
        image_id: COCO's, of the first image that it is made of.
        image: (H, W, 3) uint8 RGB.
        people: COCO's annotations without segmentation, in pixels of the image.
    """

    image_id: int
    image: np.ndarray
    people: Sequence[dict[str, Any]]


def read_scenes(annotations: Path, images: Path) -> list[Scene]:
    """The images of a file of COCO, by id."""
    document = json.loads(annotations.read_text())
    people: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
    for person in document["annotations"]:
        people[person["image_id"]].append(person)
    return [
        Scene(image["id"], read_image(images / image["file_name"]), people[image["id"]])
        for image in sorted(document["images"], key=lambda image: image["id"])
    ]


def moved(person: dict[str, Any], factor: np.ndarray, offset: np.ndarray) -> dict[str, Any]:
    """An annotation after an image has become `factor` (2,) times as large and been moved by `offset` (2,) pixels."""
    joints = np.array(person["keypoints"], float).reshape(-1, 3)
    labelled = joints[:, 2] > 0
    joints[labelled, :2] = joints[labelled, :2] * factor + offset
    box = np.array(person["bbox"], float).reshape(2, 2) * factor + [offset, (0, 0)]
    return {
        **{name: person[name] for name in KEPT},
        "keypoints": joints.ravel().tolist(),
        "bbox": box.ravel().tolist(),
        "area": person["area"] * float(np.prod(factor)),
    }


def resized(image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """An image about `scale` times as large, and (2,) how many times it is exactly, along x and y."""
    height, width = image.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, size, interpolation=interpolation), np.array(size) / (width, height)


def crowds(scenes: Sequence[Scene], grid: tuple[int, int], size: tuple[int, int]) -> list[Scene]:
    """All scenes, in cells of as many crowds as it takes; in the last one, some cells may stay black.

    Args:
        scenes: What is laid side by side.
        grid: Cells along x and y.
        size: Width and height of a crowd.
    """
    cells = grid[0] * grid[1]
    return [side_by_side(scenes[first : first + cells], grid, size) for first in range(0, len(scenes), cells)]


def side_by_side(scenes: Sequence[Scene], grid: tuple[int, int], size: tuple[int, int]) -> Scene:
    """Scenes as large as the cells of a grid allow, each in the upper left corner of its cell, row by row."""
    canvas, people = np.zeros((size[1], size[0], 3), np.uint8), []
    cell = np.array(size) // grid
    for place, scene in enumerate(scenes):
        left, top = cell * (place % grid[0], place // grid[0])
        image, factor = resized(scene.image, min(cell / scene.image.shape[1::-1]))
        canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
        people += [moved(person, factor, np.array([left, top])) for person in scene.people]
    return Scene(scenes[0].image_id, canvas, people)


def close_ups(scenes: Sequence[Scene], size: tuple[int, int]) -> list[Scene]:
    """The largest person of each scene, where joints are annotated and the person's longer side has 96 pixels."""
    largest = [(scene, largest_box(scene)) for scene in scenes]
    return [close_up(scene, box, size) for scene, box in largest if max(box[2:]) >= CLOSE]


def largest_box(scene: Scene) -> list[float]:
    """The box (x, y, width, height) of the person with the longest side of those whose joints are annotated."""
    boxes = [person["bbox"] for person in scene.people if person["num_keypoints"] and not person["iscrowd"]]
    return max(boxes, key=lambda box: max(box[2:]), default=[0.0] * 4)


def close_up(scene: Scene, box: Sequence[float], size: tuple[int, int]) -> Scene:
    """What is in a box (x, y, width, height) and a margin around it, as large as fits in a width and height."""
    corner, extent = np.array(box[:2]), np.array(box[2:])
    limits = np.array(scene.image.shape[1::-1])
    low = np.floor((corner - MARGIN * extent).clip(0)).astype(int)
    high = np.ceil((corner + extent + MARGIN * extent).clip(max=limits)).astype(int)
    inside = scene.image[low[1] : high[1], low[0] : high[0]]
    image, factor = resized(inside, min(size / (high - low)))
    cut = [cropped(person, low, high) for person in scene.people]
    return Scene(scene.image_id, image, [moved(person, factor, -low * factor) for person in cut if person is not None])


def cropped(person: dict[str, Any], low: np.ndarray, high: np.ndarray) -> dict[str, Any] | None:
    """An annotation without what is not between two corners (2,), or None if nothing is.

    The area shrinks as the box does.
    """
    corner, extent = np.array(person["bbox"], float).reshape(2, 2)
    start, end = np.maximum(corner, low), np.minimum(corner + extent, high)
    if (end <= start).any():
        return None
    joints = np.array(person["keypoints"], float).reshape(-1, 3)
    joints[((joints[:, :2] < low) | (joints[:, :2] >= high)).any(1)] = 0
    joints[joints[:, 2] == 0] = 0
    return person | {
        "keypoints": joints.ravel().tolist(),
        "num_keypoints": int((joints[:, 2] > 0).sum()),
        "bbox": np.concatenate([start, end - start]).tolist(),
        "area": person["area"] * float(np.prod(end - start) / np.prod(extent)),
    }


def document(people: dict[int, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """COCO's annotations of scenes: the people of each by its image_id."""
    return {
        "info": {},
        "images": [{"id": image_id} for image_id in people],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [person | {"image_id": image_id} for image_id, each in people.items() for person in each],
    }
