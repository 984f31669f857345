"""YOLOX's boxes, as its own program exports them: one row a cell, before suppression.

Source:
    Ge et al. 2021 (YOLOX), section 2, and the public code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ptfast.pipeline.onnx.found import corners, only_boxes, suppressed
from ptfast.pipeline.onnx.network import Dims, require
from ptfast.pipeline.people import Found

STRIDES = (8, 16, 32)
FOCUS_CHANNELS = 12  # of four pixels each, which the first convolution sees
LARGEST = 20.0  # of the logarithm of a side, so that it stays finite


def has_cells(outputs: Mapping[str, Dims], size: Dims) -> bool:
    """Returns True for one output (B, A, 5 + C) with a row for each of the A cells of an image of `size`."""
    shapes = [*outputs.values()]
    if len(shapes) != 1 or len(shapes[0]) != 3 or None in size:
        return False
    _, rows, columns = shapes[0]
    return rows == cell_count(size) and columns is not None and columns > 5


def cell_count(size: Dims) -> int:
    """A: cells of an image of (height, width)."""
    return sum((size[0] or 0) // stride * ((size[1] or 0) // stride) for stride in STRIDES)


def boxes(rows: np.ndarray, size: tuple[int, int], min_score: float, overlap: float) -> Found:
    """People.

    Args:
        rows: (A, 5 + C): centre, width and height, probability that there is an object, and of each class, of which a
            person is the first. Of an export without decoding, the centre is counted in strides from the cell, and the
            sides are logarithms, in strides. Such centres are a few strides long; decoded ones reach across the image.
        size: (height, width) of the input.
        min_score: Score under which there is nobody.
        overlap: IoU above which a box yields to a better one.
    """
    scores = rows[:, 4] * rows[:, 5]
    some = scores >= min_score
    places = rows[:, :4]
    decoded = places[:, :2].max() > min(size) / 2
    places = places[some] if decoded else decode(places[some], *(part[some] for part in cells(size)))
    return suppressed(only_boxes(corners(places), scores[some]), overlap)


def decode(places: np.ndarray, cell: np.ndarray, stride: np.ndarray) -> np.ndarray:
    """(N, 4) centres, widths and heights in pixels of rows (N, 4) of cells (N, 2) with strides (N, 1)."""
    centres = (places[:, :2] + cell) * stride
    return np.concatenate([centres, np.exp(places[:, 2:].clip(max=LARGEST)) * stride], 1)


def cells(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(A, 2) column and row numbers of all cells, and (A, 1) their strides."""
    places, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        places.append(np.stack([columns.ravel(), rows.ravel()], 1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(strides).astype(np.float32)


def raw_colours(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 RGB as the input of YOLOX and RTMO, (3, h, w) blue, green and red from 0 to 255."""
    return image[..., ::-1].transpose(2, 0, 1)


def begins_with_focus(path: Path) -> bool:
    """Returns True if a file's first convolution sees four pixels at a time, as YOLOX's does and RTMDet's does not.

    Raises:
        ImportError: onnx is not installed.
    """
    graph = require("onnx").load(str(path), load_external_data=False).graph
    weights = {weight.name: weight.dims for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Conv":
            shape = weights.get(node.input[1], ())
            return len(shape) == 4 and shape[1] == FOCUS_CHANNELS
    return False
