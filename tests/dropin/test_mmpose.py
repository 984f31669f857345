"""mmpose's functions: beside those that load without mmpose's own requirements, and values that mmpose 1.3.2 gave."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import hrnet, mmpose
from ptfast.ops import heatmap_peaks

from .pose_peers import areas, heatmaps, mmpose_utils, people, rows

quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def same(found: Any, expected: Any, **tolerance: float) -> None:
    assert type(found) is type(expected)
    if isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, **({"rtol": 0} | tolerance))


def points(n: int, joints: int, height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    """Anywhere on the maps, and a little off them."""
    random = np.random.default_rng(n)
    return (random.uniform(-3, 3, (n, joints, 2)) + random.uniform(0, (width, height), (n, joints, 2))).astype(dtype)


def test_oks_equals_the_original() -> None:
    nms = peer("mmpose.evaluation.functional.nms")
    poses, sizes = rows(30), areas(30)
    for n, threshold in product((0, 1, 5, 29), (None, 0, 0.5, 2)):
        arguments = (poses[0], poses[1 : n + 1], sizes[0], sizes[1 : n + 1], None, threshold)
        same(mmpose.oks_iou(*arguments), nms.oks_iou(*arguments), rtol=2e-7, atol=1e-34)
    for n, ties, threshold, visible in product((0, 1, 2, 16, 30), (True, False), (-1, 0, 0.4, 0.55, 1), (None, 0.5)):
        crowd = people(n, ties=ties)
        same(mmpose.oks_nms(crowd, threshold, None, visible), nms.oks_nms(crowd, threshold, None, visible))


@quiet
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(17, 24, 18), (1, 17, 24, 18), (3, 2, 24, 18)])
def test_maximum_equals_the_original(shape: tuple[int, ...], dtype: type) -> None:
    utils = mmpose_utils()
    maps = (100 * heatmaps(*shape, dtype=np.float64)).astype(dtype)
    maps[..., 0, :, :] = 0
    if maps.dtype.kind == "f":
        maps[..., 1, 5, 7] = np.nan
    for layout in (maps, np.asfortranarray(maps), maps[..., ::-1]):
        for found, expected in zip(mmpose.get_heatmap_maximum(layout), utils.get_heatmap_maximum(layout), strict=True):
            same(found, expected)


@quiet
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "joints"), [(0, 17), (1, 1), (1, 17), (2, 3), (20, 17)])
def test_refinement_equals_the_original(n: int, joints: int, dtype: type) -> None:
    utils = mmpose_utils()
    maps = heatmaps(joints, 24, 18, dtype=dtype)
    maps[0, 3, 4] = np.nan
    for kind in (np.float32, np.float64):
        where = points(n, joints, 24, 18, kind)
        found, expected = where.copy(), where.copy()
        assert mmpose.refine_keypoints(found, maps) is found
        same(found, utils.refine_keypoints(expected, maps))
        strided = np.asfortranarray(where)
        same(np.ascontiguousarray(mmpose.refine_keypoints(strided, maps[:, :, ::1])), expected)


@quiet
@pytest.mark.parametrize("taps", [3, 11, 17, 33])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dark_equals_the_original(dtype: type, taps: int) -> None:
    utils = mmpose_utils()
    maps = heatmaps(17, 24, 18, dtype=dtype)
    maps[0], maps[1, 5, 6], maps[2, 9, 9] = 0, np.nan, np.inf
    tops = utils.get_heatmap_maximum(maps)[0]
    for where in (tops[None], points(4, 17, 24, 18), np.concatenate([tops[None], points(2, 17, 24, 18)])):
        found, theirs, blurred = where.copy(), maps.copy(), maps.copy()
        kept = maps.copy()
        expected = utils.refine_keypoints_dark(where.copy(), theirs, taps)
        assert mmpose.refine_keypoints_dark(found, kept, taps) is found
        np.testing.assert_array_equal(kept, maps)
        within(found, expected, where)
        again = mmpose.refine_keypoints_dark(where.copy(), blurred, taps, overwrite_heatmaps=True)
        within(again, expected, where)
        np.testing.assert_allclose(blurred, theirs, rtol=1e-6)


def within(found: np.ndarray, expected: np.ndarray, start: np.ndarray) -> None:
    """Steps agree, to a thousandth of a pixel where they are short.

    mmpose subtracts float32 logarithms, so that its curvatures are right to about 1e-6; a step is a slope divided by a
    curvature, and its error grows with its square.
    """
    step = np.abs(expected - start).max(-1, keepdims=True)
    close = np.abs(found - expected) <= 1e-3 * np.maximum(1, step) ** 2
    assert (close | (np.isnan(found) & np.isnan(expected))).all()


# What mmpose 1.3.2 gives for rows(6), 20 areas(6), people(12, ties=True), heatmaps(3, 12, 10, seed=6) and 5 taps.
GOLDEN_OKS = [0.5024684072, 0.598043561, 0.3790868223, 0.4249657989, 0.3855835199]
GOLDEN_KEPT = {
    0.3: [9, 5, 0, 10, 2, 8, 3, 4],
    0.5: [9, 5, 0, 10, 2, 8, 3, 4, 1],
    0.55: [9, 5, 0, 10, 2, 8, 3, 4, 11, 6, 1],
}
GOLDEN_TOPS = [[5, 4], [3, 11], [3, 7]]
POINTS = np.array([GOLDEN_TOPS, [[4.6, 3.2], [5, 6], [2, 2]]], np.float32)
GOLDEN_QUARTER = [[[4.75, 3.75], [2.75, 11], [3.25, 7.25]], [[4.85, 3.45], [4.75, 6.25], [2.25, 2.25]]]
GOLDEN_DARK = [
    [[4.93311, 3.87683], [3, 11], [3.06591, 7.23921]],
    [[5.53862, 4.06920], [5.47098, 2.58230], [5.50785, 20.91232]],
]
GOLDEN_LOGARITHMS = [-2.3779075, -1.4879464, -0.8211092, -0.3509579]


def test_known_oks_and_suppression() -> None:
    poses, sizes = rows(6), 20 * areas(6)
    found = mmpose.oks_iou(poses[0], poses[1:], sizes[0], sizes[1:], vis_thr=0.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, GOLDEN_OKS, rtol=1e-6)
    crowd = people(12, ties=True)
    assert {thr: mmpose.oks_nms(crowd, thr, vis_thr=0.5).tolist() for thr in GOLDEN_KEPT} == GOLDEN_KEPT


def test_known_peaks_and_refinements() -> None:
    maps = heatmaps(3, 12, 10, seed=6)
    assert mmpose.get_heatmap_maximum(maps)[0].tolist() == GOLDEN_TOPS
    np.testing.assert_allclose(mmpose.refine_keypoints(POINTS.copy(), maps), GOLDEN_QUARTER, rtol=1e-6)
    np.testing.assert_allclose(mmpose.refine_keypoints(POINTS[:1].copy(), maps), GOLDEN_QUARTER[:1], rtol=1e-6)
    np.testing.assert_allclose(mmpose.refine_keypoints_dark(POINTS.copy(), maps, 5), GOLDEN_DARK, rtol=2e-5)
    np.testing.assert_array_equal(maps, heatmaps(3, 12, 10, seed=6))
    mmpose.refine_keypoints_dark(POINTS.copy(), maps, 5, overwrite_heatmaps=True)
    np.testing.assert_allclose(maps[0, 4, :4], GOLDEN_LOGARITHMS, rtol=1e-6)


def test_keypoints_at_the_edge_stay() -> None:
    """In the outermost row or column above and on the left, and on each axis one pixel further, as in mmpose."""
    ramp = np.add.outer(np.arange(8), np.arange(9))[None].astype(np.float32).repeat(2, 0)
    where = np.array([[[0, 4], [4, 0]], [[1, 4], [4, 1]], [[2, 4], [4, 2]], [[8, 4], [4, 7]]], np.float32)
    moves = np.array([[[0, 0], [0, 0]], [[0, 1], [1, 0]], [[1, 1], [1, 1]], [[0, 1], [1, 0]]]) / 4
    np.testing.assert_array_equal(mmpose.refine_keypoints(where.copy(), ramp), where + moves)
    for each, move in zip(where, moves, strict=True):  # few keypoints go one by one
        np.testing.assert_array_equal(mmpose.refine_keypoints(each[None].copy(), ramp)[0], each + move)


def narrow_maps() -> tuple[np.ndarray, np.ndarray]:
    """Five equal maps that fall to 1e-22, and keypoints where they or their neighbours are below 1e-8."""
    y, x = np.mgrid[:12, :14]
    maps = np.exp(-((x - 6.3) ** 2 + (y - 5.8) ** 2) / 2 / 0.9**2).astype(np.float32)[None].repeat(5, 0)
    return maps, np.array([[[2, 6], [11, 5], [11, 9], [11, 8], [3, 9]]], np.float32)


# What mmpose 1.3.2 gives for narrow_maps and 3 taps.
GOLDEN_NARROW = [[5.43694, 5.80573], [7.20608, 5.75459], [3.95486, 6.45734], [7.20608, 6.16855], [5.61818, 6.45734]]


def test_dark_of_values_down_to_1e_minus_10() -> None:
    maps, where = narrow_maps()
    found = mmpose.refine_keypoints_dark(where.copy(), maps, 3)
    np.testing.assert_allclose(found[0], GOLDEN_NARROW, atol=1e-4)
    few = mmpose.refine_keypoints_dark(where[:, :3].copy(), maps[:3], 3)
    np.testing.assert_allclose(few[0], GOLDEN_NARROW[:3], atol=1e-4)


def test_dark_of_small_values_equals_the_original() -> None:
    maps, where = narrow_maps()
    expected = mmpose_utils().refine_keypoints_dark(where.copy(), maps.copy(), 3)
    np.testing.assert_allclose(mmpose.refine_keypoints_dark(where.copy(), maps, 3), expected, atol=1e-4)


def test_both_poses_decide_what_is_visible() -> None:
    poses, sizes = rows(12), areas(12)
    arguments = (poses[0], poses[1:], sizes[0], sizes[1:], None, 0.5)
    np.testing.assert_allclose(mmpose.oks_iou(*arguments), hrnet.oks_iou(*arguments, visible_in_both=True), rtol=1e-6)


def test_scores_by_joint_count_by_their_mean() -> None:
    crowd = people(12)
    by_joint = [person | {"score": person["score"] + np.array([0.5, -0.5])} for person in crowd]
    assert mmpose.oks_nms(by_joint, 0.5, score_per_joint=True).tolist() == mmpose.oks_nms(crowd, 0.5).tolist()
    assert mmpose.oks_nms([], 0.5) == []


def test_maps_without_a_positive_value() -> None:
    maps = np.zeros((2, 2, 6, 8), np.float32)
    maps[1, 1, 4, 5] = 3
    assert mmpose.get_heatmap_maximum(maps)[0].tolist() == [[[-1, -1], [-1, -1]], [[-1, -1], [5, 4]]]


def test_dark_on_peaks_is_done_by_ops() -> None:
    maps = heatmaps(17, 24, 18)
    tops = mmpose.get_heatmap_maximum(maps)[0][None]
    np.testing.assert_allclose(
        mmpose.refine_keypoints_dark(tops, maps, 11)[0], heatmap_peaks(maps, refine="taylor")[0], atol=1e-6
    )


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: mmpose.get_heatmap_maximum([1]), AssertionError, "heatmaps should be numpy.ndarray"),
        (lambda: mmpose.get_heatmap_maximum(np.zeros((4, 4))), AssertionError, r"Invalid shape \(4, 4\)"),
        (lambda: mmpose.get_heatmap_maximum(np.zeros((0, 2, 4, 4))), ValueError, "cannot reshape"),
        (lambda: mmpose.refine_keypoints(np.zeros((2, 9, 2), int), np.zeros((9, 4, 4))), TypeError, "ufunc 'add'"),
        (lambda: mmpose.refine_keypoints_dark(np.zeros((1, 1, 2)), np.zeros((1, 9, 9)), 4), AssertionError, None),
        (lambda: mmpose.oks_iou(rows(1)[0], rows(3), 1.0, [1.0, 2.0]), IndexError, "out of bounds"),
    ],
)
def test_errors(call: Any, error: type[Exception], text: str | None) -> None:
    with pytest.raises(error, match=text):
        call()


def test_importing_loads_neither_torch_nor_mmpose() -> None:
    script = "import sys, ptfast.dropin.mmpose; print({'torch', 'cv2', 'mmpose'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
