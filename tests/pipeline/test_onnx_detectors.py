"""Boxes of people out of ONNX files, of constants that the test writes: expected boxes are worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast.io import Frame
from ptfast.pipeline.onnx import OnnxDetector, OnnxSettings, load_onnx
from ptfast.pipeline.onnx.yolox import cells

from .onnx_graphs import write_graph

GREY = 114


def detector(path: Path, **settings: float) -> OnnxDetector:
    found = load_onnx(path, settings=OnnxSettings(**settings))  # type: ignore[arg-type]
    assert isinstance(found, OnnxDetector)
    return found


def image(height: int, width: int, colour: tuple[int, int, int] = (0, 0, 0)) -> Frame:
    return Frame(np.full((height, width, 3), colour, np.uint8), "", 0)


def test_boxes_of_mmdeploy_are_the_images(tmp_path: Path) -> None:
    """An image of 64 x 48 is halved into the upper left corner of 32 x 32. Labels other than 0 are no people."""
    dets = np.array([[4, 8, 12, 24, 0.9], [0, 0, 30, 30, 0.8], [1, 2, 3, 4, 0.31], [5, 5, 9, 9, 0.29], [0, 0, 0, 0, 0]])
    path = write_graph(tmp_path / "a.onnx", {"dets": dets, "labels": np.array([0, 7, 0, 0, 0])})
    ((boxes, scores),) = detector(path)([image(48, 64)], [0])
    assert boxes.tolist() == [[8, 16, 24, 48], [2, 4, 6, 8]]
    np.testing.assert_allclose(scores, [0.9, 0.31], rtol=1e-6)


@pytest.mark.parametrize(
    ("focus", "pixel", "expected"),
    [
        (False, (0, 5, 5), (30 - 103.53) / 57.375),  # RTMDet: blue, green, red, about the mean
        (False, (1, 5, 5), (20 - 116.28) / 57.12),
        (False, (2, 5, 5), (10 - 123.675) / 58.395),
        (False, (0, 20, 5), (GREY - 103.53) / 57.375),  # below the image
        (True, (0, 5, 5), 30),  # YOLOX: blue, green, red, as they are
        (True, (2, 5, 5), 10),
        (True, (1, 20, 5), GREY),
    ],
)
def test_colours_are_those_of_training(
    tmp_path: Path, focus: bool, pixel: tuple[int, int, int], expected: float
) -> None:
    """The score is a pixel of the input. A wide image leaves the lower half grey."""
    dets, weights = np.array([[4, 8, 12, 24, 50.0]]), np.array([[0, 0, 0, 0, 1.0]])
    outputs = {"dets": dets, "labels": np.array([0])}
    path = write_graph(tmp_path / "a.onnx", outputs, added={"dets": weights}, pixel=pixel, focus=focus)
    found = detector(path)
    assert found.format.name == ("YOLOX" if focus else "RTMDet")
    ((_, scores),) = found([image(16, 32, (10, 20, 30))], [0])
    np.testing.assert_allclose(scores - 50, expected, atol=1e-5)


def test_sides_that_are_rounded_have_scales_of_their_own(tmp_path: Path) -> None:
    """An image of 100 x 33 takes 32 x 11 pixels, not 32 x 10.56."""
    dets = np.array([[0, 0, 32, 11, 0.9], [8, 2, 16, 5, 0.8]])
    path = write_graph(tmp_path / "a.onnx", {"dets": dets, "labels": np.array([0, 0])})
    ((boxes, _),) = detector(path)([image(33, 100)], [0])
    np.testing.assert_allclose(boxes, [[0, 0, 100, 33], [25, 6, 50, 15]], rtol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, "batch"])
def test_key_frames_keep_their_order(tmp_path: Path, batch: int | str) -> None:
    """The box's right side is a pixel's blue; three key frames fill one batch, more than one, or three."""
    dets, weights = np.array([[0, 0, 1, 10, 0.9]]), np.array([[0, 0, 1.0, 0, 0]])
    outputs = {"dets": dets, "labels": np.array([0])}
    path = write_graph(tmp_path / "a.onnx", outputs, added={"dets": weights}, batch=batch, focus=True)
    frames = [image(32, 32, (0, 0, blue)) for blue in (3, 5, 7, 9)]
    found = detector(path)(frames, [3, 0, 2])
    assert [boxes.tolist() for boxes, _ in found] == [[[0, 0, 10, 10]], [[0, 0, 4, 10]], [[0, 0, 8, 10]]]
    assert detector(path)(frames, []) == []


def yolox_rows(decoded: bool) -> np.ndarray:
    """(21, 5 + 2) rows of an image of 32 x 32: two people, a double of the first, and a dog."""
    rows = np.zeros((21, 7), np.float32)
    rows[:, :2] = (cells((32, 32))[0] + 0.5) * cells((32, 32))[1] if decoded else 0.5
    # Cell 5 of stride 8 is in row 1 and column 1, cell 16 the first of stride 16, cell 20 the one of stride 32.
    if decoded:
        rows[5], rows[6] = (12, 16, 8, 16, 0.9, 1, 0), (12, 16, 8, 14, 0.8, 1, 0)
        rows[16], rows[20] = (4, 20, 8, 24, 0.8, 0.5, 0.2), (16, 16, 32, 32, 0.9, 0.1, 0.9)
    else:
        rows[5], rows[6] = (0.5, 1, 0, np.log(2), 0.9, 1, 0), (-0.5, 1, 0, np.log(1.75), 0.8, 1, 0)
        rows[16] = (0.25, 1.25, np.log(0.5), np.log(1.5), 0.8, 0.5, 0.2)
        rows[20] = (0.5, 0.5, 0, 0, 0.9, 0.1, 0.9)
    return rows


@pytest.mark.parametrize("decoded", [True, False])
def test_cells_of_yolox_are_boxes(tmp_path: Path, decoded: bool) -> None:
    path = write_graph(tmp_path / "a.onnx", {"output": yolox_rows(decoded)})
    found = detector(path)
    ((boxes, scores),) = found([image(32, 32)], [0])
    assert found.format.name == "YOLOX"
    np.testing.assert_allclose(boxes, [[8, 8, 16, 24], [0, 8, 8, 32]], atol=1e-5)
    np.testing.assert_allclose(scores, [0.9, 0.4], rtol=1e-6)


def test_overlap_and_score_are_settings(tmp_path: Path) -> None:
    """The double has an IoU of 14 / 16."""
    path = write_graph(tmp_path / "a.onnx", {"output": yolox_rows(False)})
    ((_, scores),) = detector(path, overlap=0.9)([image(32, 32)], [0])
    np.testing.assert_allclose(scores, [0.9, 0.8, 0.4], rtol=1e-6)
    ((_, scores),) = detector(path, min_score=0.85)([image(32, 32)], [0])
    np.testing.assert_allclose(scores, [0.9], rtol=1e-6)


def test_cells_without_people_do_not_overflow(tmp_path: Path) -> None:
    rows = yolox_rows(False)
    rows[0] = (0, 0, 1000, 1000, 0.9, 0, 1)
    path = write_graph(tmp_path / "a.onnx", {"output": rows})
    ((boxes, _),) = detector(path)([image(32, 32)], [0])
    assert len(boxes) == 2 and np.isfinite(boxes).all()


@pytest.mark.parametrize("setting", [{"min_score": 1.5}, {"overlap": -0.1}, {"long_side": 8}])
def test_settings_out_of_range_are_named(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(setting))} must be between"):
        OnnxSettings(**setting)  # type: ignore[arg-type]
