"""Points strictly inside polygons."""

from __future__ import annotations

import numpy as np
import pytest

from ptfast.evaluation._ignore import ignored_joints, inside_polygon

SQUARE = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
NOTCHED = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 1.0], [0.0, 4.0]])
BOW_TIE = np.array([[0.0, 0.0], [4.0, 4.0], [4.0, 0.0], [0.0, 4.0]])


@pytest.mark.parametrize(
    ("polygon", "point", "inside"),
    [
        (SQUARE, (2, 2), True),
        (SQUARE, (5, 2), False),
        (SQUARE, (4, 2), False),
        (SQUARE, (2, 0), False),
        (SQUARE, (0, 0), False),
        (SQUARE, (-1, 0), False),
        (NOTCHED, (2, 2), False),
        (NOTCHED, (2, 1), False),
        (NOTCHED, (0.5, 2), True),
        (NOTCHED, (3, 0.5), True),
        (BOW_TIE, (1, 2), True),
        (BOW_TIE, (2, 3), False),
        (SQUARE[:2], (2, 0), False),
        (SQUARE[:0], (0, 0), False),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_edges_are_outside(polygon: np.ndarray, point: tuple[float, float], inside: bool, turned: bool) -> None:
    corners = polygon[::-1] if turned else polygon
    assert inside_polygon(np.array([point], float), corners).tolist() == [inside]


def test_equals_shapely() -> None:
    geometry = pytest.importorskip("shapely.geometry")
    rng = np.random.default_rng(0)
    points = rng.integers(0, 24, (60, 2)) / 2
    for _ in range(200):
        corners = rng.integers(0, 12, (int(rng.integers(3, 8)), 2)).astype(float)
        expected = [geometry.Polygon(corners).contains(geometry.Point(*point)) for point in points]
        np.testing.assert_array_equal(inside_polygon(points, corners), expected)


def test_regions_belong_to_their_frame() -> None:
    keypoints = np.full((3, 2, 2), 2.0)
    keypoints[:, 1] = 9
    ignored = ignored_joints(keypoints, np.array([0, 1, 1, 3]), ((), (SQUARE,), (SQUARE, SQUARE + 7)))
    assert ignored.tolist() == [[False, False], [True, True], [True, True]]
    assert not ignored_joints(keypoints, np.array([0, 1, 1, 3]), None).any()
