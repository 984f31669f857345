"""Points and people's joints carried by flow: sparse and dense, checked, and moved by the median where unsure."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch

from ptfast.pipeline.flow import (
    DenseFlow,
    FlowImage,
    OpenCvFlow,
    PointFlow,
    SparseFlow,
    carry,
    load_point_flow,
)
from ptfast.pipeline.flow.carrying import checked_step, medians

FLOWS: dict[str, PointFlow] = {
    "sparse": SparseFlow(),
    "sparse, reduced": SparseFlow(short_side=100),
    "dis": DenseFlow(OpenCvFlow("dis-medium", None), max_error=1.0),
    "dis, reduced": DenseFlow(OpenCvFlow("dis-medium", 100), max_error=1.0),
}
EITHER = pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS.keys())


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return cv2.resize(fine, (width, height), interpolation=cv2.INTER_CUBIC)


def shifted(dx: int, dy: int, size: tuple[int, int] = (150, 211)) -> tuple[np.ndarray, np.ndarray]:
    height, width = size
    whole = texture(height + 40, width + 40)
    return whole[20 : 20 + height, 20 : 20 + width], whole[20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]


def prepared(flow: PointFlow, *images: np.ndarray) -> list[FlowImage]:
    return [flow.prepare(image) for image in images]


def some_points(count: int = 40, size: tuple[int, int] = (150, 211), margin: int = 25) -> np.ndarray:
    rng = np.random.default_rng(2)
    low, high = (margin, margin), (size[1] - margin, size[0] - margin)
    return rng.uniform(low, high, (count, 2)).astype(np.float32)


@EITHER
@pytest.mark.parametrize("shift", [(0, 0), (6, -4), (-9, 3)])
def test_points_of_a_picture_that_moves_as_a_whole(flow: PointFlow, shift: tuple[int, int]) -> None:
    points = some_points()
    moved, ok = flow.move(points, *prepared(flow, *shifted(*shift)))
    assert moved.shape == (40, 2) and moved.dtype == np.float32 and ok.shape == (40,) and ok.dtype == bool
    assert ok.mean() > 0.9
    np.testing.assert_allclose(np.median(moved - points, 0), shift, atol=0.15)
    assert np.abs(moved[ok] - points[ok] - shift).max() < 1


@EITHER
def test_points_of_a_known_affine_motion(flow: PointFlow) -> None:
    first = texture(150, 211)
    matrix = np.array([[1.02, -0.02, 1.0], [0.02, 0.99, -2.0]])
    second = cv2.warpAffine(first, matrix, (211, 150))
    points = some_points()
    moved, ok = flow.move(points, *prepared(flow, first, second))
    expected = np.c_[points, np.ones(len(points))] @ matrix.T
    assert ok.mean() > 0.9
    assert np.median(np.linalg.norm(moved - expected, axis=1)) < 0.3
    assert np.linalg.norm(expected - points, axis=1).mean() > 2


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [({"steps": 1}, 0.1, 1), ({"least_step": 9.0}, 0.1, 1), ({}, 0, 0.02), ({"least_step": 0.001}, 0, 0.02)],
)
def test_where_newton_steps_end(settings: dict[str, Any], low: float, high: float) -> None:
    shift, points = np.array([2.37, -1.21]), some_points()
    flow = SparseFlow(max_error=None, levels=0, **settings)
    moved, _ = flow.move(points, *prepared(flow, texture(150, 211), slid(texture(150, 211), shift)))
    assert low < np.abs(moved - points - shift).mean() < high


def slid(image: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(image, np.c_[np.eye(2), shift], image.shape[1::-1])


def passing(step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A board that moves to the right before a still wall, and points of the wall that it comes to cover."""
    first, board = texture(150, 211), texture(80, 60, seed=9)
    second = first.copy()
    first[35:115, 60:120], second[35:115, 60 + step : 120 + step] = board, board
    covered = np.array([[120 + step / 2, y] for y in (55, 65, 75, 85, 95)], np.float32)
    return first, second, covered


@pytest.mark.parametrize("name", ["sparse", "dis"])
def test_a_point_that_something_covers_fails_its_check(name: str) -> None:
    flow = FLOWS[name]
    first, second, covered = passing(12)
    free = np.array([[25, 40], [30, 110], [180, 40], [185, 100], [85, 70], [92, 80]], np.float32)
    moved, ok = flow.move(np.concatenate([free, covered]), *prepared(flow, first, second))
    assert ok[:6].all() and not ok[6:].any()
    np.testing.assert_allclose(moved[:6] - free, [[0, 0]] * 4 + [[12, 0]] * 2, atol=0.3)


def test_without_the_check_covered_points_pass() -> None:
    first, second, covered = passing(12)
    for flow in (SparseFlow(max_error=None), DenseFlow(OpenCvFlow("dis-medium", None))):
        assert flow.move(covered, *prepared(flow, first, second))[1].all()


@EITHER
def test_points_at_and_beyond_the_border(flow: PointFlow) -> None:
    points = np.array([[0, 0], [210, 149], [-0.6, 5], [210.6, 5], [5, 149.6], [1e30, 5], [np.nan, 5], [np.inf, 5]])
    first = texture(150, 211)
    moved, ok = flow.move(points.astype(np.float32), *prepared(flow, first, first))
    assert ok.tolist() == [True, True] + [False] * 6
    np.testing.assert_allclose(moved[:6], points[:6].astype(np.float32), atol=0.1)


@EITHER
def test_a_joint_that_leaves_the_image_is_not_found(flow: PointFlow) -> None:
    points = np.array([[206, 70], [100, 70]], np.float32)
    _, ok = flow.move(points, *prepared(flow, *shifted(9, 0)))
    assert ok.tolist() == [False, True]


@EITHER
def test_nobody(flow: PointFlow) -> None:
    pair = prepared(flow, *shifted(1, 1))
    moved, ok = flow.move(np.zeros((0, 2), np.float32), *pair)
    assert moved.shape == (0, 2) and ok.shape == (0,)
    for shape in ((0, 17, 2), (3, 0, 2)):
        keypoints, found = carry(np.zeros(shape, np.float32), *pair, flow)
        assert keypoints.shape == shape and found.shape == shape[:2]


class Given:
    """A flow at points that is known: (N, 2) shifts, and which of them are sure."""

    def __init__(self, shifts: np.ndarray, ok: np.ndarray) -> None:
        self.shifts, self.ok = shifts.astype(np.float32), ok

    def prepare(self, image: np.ndarray) -> FlowImage:
        return FlowImage(None, (100, 100))

    def move(self, points: Any, first: FlowImage, second: FlowImage) -> tuple[Any, Any]:
        if isinstance(points, torch.Tensor):
            return points + torch.from_numpy(self.shifts), torch.from_numpy(self.ok)
        return points + self.shifts, self.ok


HAND_POINTS = np.array(
    [
        [[10, 10], [20, 20], [30, 30], [40, 40]],  # three sure joints, and one that flew off
        [[50, 50], [60, 60], [70, 70], [80, 80]],  # two sure joints: the mean of both
        [[11, 12], [13, 14], [15, 16], [17, 18]],  # none
        [[5, 5], [np.nan, np.nan], [7, 7], [9, 9]],  # one is absent
    ]
)
HAND_SHIFTS = np.array(
    [
        [[1, 5], [2, 3], [9, 4], [70, -70]],
        [[2, 2], [4, 10], [np.nan, 0], [50, 50]],
        [[1, 1], [2, 2], [3, 3], [4, 4]],
        [[1, 2], [0, 0], [1, 2], [8, 8]],
    ]
)
HAND_OK = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]], bool)
HAND_MOVED = np.array(
    [
        [[11, 15], [22, 23], [39, 34], [42, 44]],
        [[52, 52], [64, 70], [73, 76], [83, 86]],
        [[11, 12], [13, 14], [15, 16], [17, 18]],
        [[6, 7], [np.nan, np.nan], [8, 9], [10, 11]],
    ]
)


def test_unsure_joints_move_by_their_persons_median() -> None:
    flow = Given(HAND_SHIFTS.reshape(-1, 2), HAND_OK.ravel())
    pair = prepared(flow, *shifted(0, 0))
    moved, ok = carry(HAND_POINTS, *pair, flow)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(moved, HAND_MOVED)
    np.testing.assert_array_equal(ok, HAND_OK)
    on_tensors, found = carry(torch.from_numpy(HAND_POINTS), *pair, flow)
    assert on_tensors.dtype == torch.float32
    np.testing.assert_allclose(on_tensors, HAND_MOVED)
    np.testing.assert_array_equal(found, HAND_OK)


def test_medians_are_numpys() -> None:
    rng = np.random.default_rng(0)
    shifts, ok = rng.normal(size=(50, 17, 2)).astype(np.float32), rng.random((50, 17)) < 0.4
    ok[0], ok[1] = False, True
    expected = [np.median(shifts[n, ok[n]], 0) if ok[n].any() else np.zeros(2) for n in range(50)]
    np.testing.assert_allclose(medians(shifts, ok), expected, atol=1e-6)
    np.testing.assert_allclose(medians(torch.from_numpy(shifts), torch.from_numpy(ok)), expected, atol=1e-6)


def test_the_check_by_hand() -> None:
    """There by (3, 0), back by (-3, 0), (-3, 1) and (-3, 1.01): 0, 1 and 1.01 pixels off."""
    points = np.array([[1, 5], [2, 5], [3, 5], [7, 5], [4, 5], [5, 5]], np.float32)
    off = np.array([[0, 0], [0, 1], [0, 1.01], [0, 0], [0, 0], [0, 0]], np.float32)
    found = np.array([True] * 4 + [False, True])
    back = np.array([True] * 5 + [False])

    def forward(at: Any) -> Any:
        return at + np.float32([3, 0]), found

    def backward(at: Any) -> Any:
        return at - np.float32([3, 0]) + off, back

    # The fourth one ends outside, the fifth is not found on the way there, the sixth not on the way back.
    assert checked_step(points, (10, 10), forward, backward, 1.0)[1].tolist() == [True, True] + [False] * 4
    assert checked_step(points, (10, 10), forward, None, None)[1].tolist() == [True] * 3 + [False, False, True]


def test_joints_on_tensors_as_on_arrays() -> None:
    flow = FLOWS["dis, reduced"]
    pair = prepared(flow, *shifted(4, 2))
    points = some_points(34).reshape(2, 17, 2)
    points[0, 3] = np.nan
    moved, ok = carry(points, *pair, flow)
    on_tensors, found = carry(torch.from_numpy(points), *pair, flow)
    np.testing.assert_allclose(on_tensors, moved, atol=1e-4)
    np.testing.assert_array_equal(found, ok)
    assert np.isnan(moved[0, 3]).all() and not ok[0, 3] and ok.sum() > 28


def test_a_function_of_ones_own() -> None:
    def to_the_right(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.float32([4, 0]), (*first.shape[:2], 2))

    flow = DenseFlow(to_the_right)
    pair = prepared(flow, *shifted(0, 0))
    points = np.array([[[10, 20], [208, 20]]], np.float32)
    moved, ok = carry(points, *pair, flow)
    assert moved.tolist() == [[[14, 20], [212, 20]]] and ok.tolist() == [[True, False]]
    assert flow.depends_on() == {"flow": None, "max_error": None}
    # There and back again by the same field is eight pixels off.
    assert not carry(points, *pair, DenseFlow(to_the_right, max_error=7.9))[1].any()
    assert carry(points, *pair, DenseFlow(to_the_right, max_error=8.1))[1].tolist() == [[True, False]]
    with pytest.raises(ValueError, match=r"flow must have shape \(H, W, 2\) with H = 150, W = 211, got \(9, 9, 2\)"):
        carry(points, *pair, DenseFlow(lambda first, second: np.zeros((9, 9, 2), np.float32)))


@EITHER
def test_errors(flow: PointFlow) -> None:
    first, second = prepared(flow, *shifted(0, 0))
    with pytest.raises(ValueError, match=r"points must have shape \(N, K, 2\), got \(4, 2\)"):
        carry(np.zeros((4, 2)), first, second, flow)
    with pytest.raises(ValueError, match=r"points must have shape \(N, 2\), got \(4, 3\)"):
        flow.move(np.zeros((4, 3), np.float32), first, second)
    with pytest.raises(TypeError, match="points must have dtype float32 or float64, got int64"):
        carry(np.zeros((4, 5, 2), np.int64), first, second, flow)
    other = flow.prepare(texture(150, 212))
    with pytest.raises(ValueError, match=r"second must have the size of first, \(H, W\) = \(150, 211\), got \(150, 21"):
        flow.move(np.zeros((4, 2), np.float32), first, other)
    with pytest.raises(ValueError, match="image must have sides of at least 12 pixels, got 1 and 1"):
        flow.prepare(np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(TypeError, match="image must have dtype uint8, got float64"):
        flow.prepare(np.zeros((20, 20, 3)))


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"max_error": 0}, ValueError, "max_error must be positive, got 0"),
        ({"max_error": "1"}, TypeError, "max_error must be a number, got '1'"),
        ({"window": 2}, ValueError, "window must be between 3 and 255, got 2"),
        ({"levels": 1.5}, TypeError, "levels must be an integer, got 1.5"),
        ({"short_side": 8}, ValueError, "short_side must be between 32 and"),
        ({"steps": 0}, ValueError, "steps must be between 1 and 100, got 0"),
        ({"least_step": 0}, ValueError, "least_step must be positive, got 0"),
    ],
)
def test_errors_of_settings(settings: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        SparseFlow(**settings)
    if "max_error" in settings:
        with pytest.raises(kind, match=message):
            DenseFlow(OpenCvFlow(), **settings)


@pytest.mark.parametrize("size", [(12, 12), (13, 40), (33, 15)])
@EITHER
def test_small_images(flow: PointFlow, size: tuple[int, int]) -> None:
    image = texture(*size)
    points = np.array([[size[1] / 2, size[0] / 2], [0, 0]], np.float32)
    moved, _ = flow.move(points, *prepared(flow, image, image))
    np.testing.assert_allclose(moved, points, atol=0.1)


def test_names() -> None:
    assert load_point_flow() == SparseFlow(max_error=1.0, short_side=None)
    assert load_point_flow("dis", short_side=99, max_error=None) == DenseFlow(OpenCvFlow("dis-fast", 99), None)
    with pytest.raises(FileNotFoundError, match="brox: expected a file of weights, or one of: sparse, dis, "):
        load_point_flow("brox")


def test_sparse_flow_holds_a_grey_image_alone() -> None:
    assert SparseFlow().prepare(texture(90, 120)).seen.shape == (90, 120)
    assert SparseFlow(short_side=45).prepare(texture(90, 120)).seen.shape == (45, 60)
    red = np.full((20, 30, 3), (200, 0, 0), np.uint8)  # red counts 0.299
    assert (SparseFlow().prepare(red).seen == 60).all()
