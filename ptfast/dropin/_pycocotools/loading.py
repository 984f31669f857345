"""COCO's files, and the id, area and box of results, which COCO's evaluation asks for."""

from __future__ import annotations

import gc
import json
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np
import orjson

from ptfast.dropin._originals import original
from ptfast.dropin._pycocotools.cells import Annotation


@contextmanager
def paused_collector() -> Iterator[None]:
    """Holds the garbage collector off, which goes through a growing document again and again: up to 3x the parsing.

    Parsed JSON has no cycles, so nothing is left for the collector to find.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def read(path: str | PathLike) -> Any:
    """The document in a JSON file; what orjson refuses (NaN, deep nesting) is left to the standard library."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def from_array(data: np.ndarray) -> list[Annotation]:
    """Results of an array (N, 7) of image, left, top, width, height, score, category."""
    print("Converting ndarray to lists...")
    assert type(data) is np.ndarray
    print(data.shape)
    assert data.shape[1] == 7
    for done in range(0, len(data), 1_000_000):
        print(f"{done}/{len(data)}")
    return [{"image_id": int(row[0]), "bbox": [*row[1:5]], "score": row[5], "category_id": int(row[6])} for row in data]


def complete(results: list[Annotation]) -> str | None:
    """Numbers results and adds what each lacks. Returns the kind of the first one, which all are taken for."""
    first = results[0]
    if "caption" in first:
        for number, result in enumerate(results, 1):
            result["id"] = number
        return "caption"
    if "bbox" in first and first["bbox"] != []:
        _complete_boxes(results)
        return "bbox"
    if "segmentation" in first:
        _complete_masks(results)
        return "segmentation"
    if "keypoints" in first:
        _complete_keypoints(results)
        return "keypoints"
    return None


def _complete_boxes(results: list[Annotation]) -> None:
    for number, result in enumerate(results, 1):
        left, top, width, height = result["bbox"][:4]
        if "segmentation" not in result:
            right, bottom = left + width, top + height
            result["segmentation"] = [[left, top, left, bottom, right, bottom, right, top]]
        result["area"] = width * height
        result["id"] = number
        result["iscrowd"] = 0


def _complete_masks(results: list[Annotation]) -> None:
    area, box = (original("pycocotools.mask", name) for name in ("area", "toBbox"))
    if area is None:
        raise ImportError("results of masks need pycocotools, which is not installed: pip install pycocotools")
    for number, result in enumerate(results, 1):
        result["area"] = area(result["segmentation"])
        if "bbox" not in result:
            result["bbox"] = box(result["segmentation"])
        result["id"] = number
        result["iscrowd"] = 0


def _complete_keypoints(results: list[Annotation]) -> None:
    """The box about all joints, and its area, as NumPy's scalars."""
    points = [(result["keypoints"][0::3], result["keypoints"][1::3]) for result in results]
    rows_of: dict[Any, list[int]] = {}
    for row, (x, y) in enumerate(points):
        rows_of.setdefault(_kind(x, y), []).append(row)
    for kind, rows in rows_of.items():
        for row, (area, *box) in zip(rows, _boxes([points[row] for row in rows], kind), strict=True):
            result = results[row]
            result["area"] = area
            result["id"] = row + 1
            result["bbox"] = box


def _kind(x: Any, y: Any) -> Any:
    """The type of all coordinates of a person, and the number of joints; None where they are not such lists."""
    if not (type(x) is type(y) is list and len(x) == len(y) > 0):
        return None
    types = {*map(type, x), *map(type, y)}
    return (types.pop(), len(x)) if types in ({float}, {int}) else None


def _boxes(points: list[Any], kind: Any) -> Iterable[Any]:
    """Area, left, top, width and height of each: of all in one go where they are of one kind."""
    if kind is None:
        return [_box(np.min(x), np.max(x), np.min(y), np.max(y)) for x, y in points]
    number, joints = kind
    code = "d" if number is float else "q"
    try:
        values = b"".join(array(code, x + y) for x, y in points)  # half the time that NumPy takes to read lists
    except OverflowError:
        return _boxes(points, None)  # integers beyond 64 bits
    coordinates = np.frombuffer(values, number).reshape(-1, 2, joints)
    low, high = coordinates.min(2), coordinates.max(2)
    return zip(*_box(low[:, 0], high[:, 0], low[:, 1], high[:, 1]), strict=True)


def _box(left: Any, right: Any, top: Any, bottom: Any) -> tuple[Any, Any, Any, Any, Any]:
    width, height = right - left, bottom - top
    return width * height, left, top, width, height
