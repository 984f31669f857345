"""HRNet's functions: beside a checkout where PTFAST_HRNET names one, and values that it gave."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ptfast.dropin import hrnet
from ptfast.ops import heatmap_peaks, oks_matrix
from ptfast.skeletons import COCO_17

from .pose_peers import areas, heatmaps, people, rows
from .pose_peers import hrnet as originals

SIGMAS = np.asarray(COCO_17.sigmas)
CONFIG = {refine: SimpleNamespace(TEST=SimpleNamespace(POST_PROCESS=refine)) for refine in (True, False)}


def same(found: Any, expected: Any, **tolerance: float) -> None:
    assert type(found) is type(expected)
    if isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, **({"rtol": 0} | tolerance))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("n", [0, 1, 5, 40])
def test_oks_iou_equals_the_original(n: int, dtype: type) -> None:
    nms, _ = originals()
    poses, sizes = rows(n + 1, dtype=dtype), areas(n + 1)
    sizes[n // 2] = 0
    for threshold in (None, 0, 0.5, 2):
        arguments = (poses[0], poses[1:], sizes[0], sizes[1:], None, threshold)
        # Places are integers, so that float32 holds their squares too.
        same(hrnet.oks_iou(*arguments), nms.oks_iou(*arguments), rtol=1e-12, atol=1e-34)


def test_oks_iou_of_other_joints_and_layouts() -> None:
    nms, _ = originals()
    poses, sizes = rows(9, joints=15), areas(9)
    sigmas = np.linspace(0.02, 0.1, 15)
    arguments = (poses[0], np.asfortranarray(poses)[:0:-1], sizes[0], sizes[:0:-1], sigmas)
    same(hrnet.oks_iou(*arguments), nms.oks_iou(*arguments), rtol=1e-12, atol=1e-34)
    one = (*arguments[:4], np.array([0.05]))
    same(hrnet.oks_iou(*one), nms.oks_iou(*one), rtol=1e-12, atol=1e-34)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("broken", ["area", "negative", "joint"])
def test_oks_of_broken_numbers_equals_the_original(broken: str) -> None:
    nms, _ = originals()
    poses, sizes = rows(8), areas(8)
    if broken == "joint":
        poses[3, 4] = np.nan
    else:
        sizes[3] = np.nan if broken == "area" else -20000
    arguments = (poses[0], poses[1:], sizes[0], sizes[1:], None, 0.5)
    same(hrnet.oks_iou(*arguments), nms.oks_iou(*arguments), rtol=1e-12)
    crowd = [
        {"keypoints": p.reshape(17, 3), "score": i, "area": a}
        for i, (p, a) in enumerate(zip(poses, sizes, strict=True))
    ]
    assert hrnet.oks_nms(crowd, 0.5) == nms.oks_nms(crowd, 0.5)
    same(hrnet.soft_oks_nms(crowd, 0.5), nms.soft_oks_nms(crowd, 0.5))


CROWDS = pytest.mark.parametrize(
    ("n", "ties"), [(0, False), (1, False), (2, True), (5, False), (16, True), (30, True), (30, False)]
)


@CROWDS
def test_suppression_equals_the_original(n: int, ties: bool) -> None:
    nms, _ = originals()
    crowd = people(n, ties=ties)
    for threshold, visible in product((-1, 0, 0.4, 0.55, 1, 2, np.nan), (None, 0.5)):
        found, expected = (each.oks_nms(crowd, threshold, None, visible) for each in (hrnet, nms))
        same(found, expected)
        assert [type(index) for index in found] == [type(index) for index in expected]


@CROWDS
def test_soft_suppression_equals_the_original(n: int, ties: bool) -> None:
    nms, _ = originals()
    crowd = people(n, joints=15, dtype=np.float32, ties=ties)
    for threshold, visible in product((0.05, 0.9), (None, 0.5)):
        arguments = (crowd, threshold, np.linspace(0.02, 0.1, 15), visible)
        same(hrnet.soft_oks_nms(*arguments), nms.soft_oks_nms(*arguments))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("layout", [lambda x: x, np.asfortranarray, lambda x: x[..., ::-1]])
def test_decoding_equals_the_original(dtype: type, layout: Any) -> None:
    _, inference = originals()
    maps = 100 * heatmaps(3, 17, 24, 18, dtype=np.float64)
    maps[0, 0], maps[0, 1], maps[0, 2] = 0, -1, 1
    maps = layout(maps.astype(dtype))
    if maps.dtype.kind == "f":
        maps[1, 0, 5, 7], maps[1, 1, 5, 7] = np.nan, np.inf
    for found, expected in zip(hrnet.get_max_preds(maps), inference.get_max_preds(maps), strict=True):
        same(found, expected)
    random = np.random.default_rng(0)
    centre, scale = random.uniform(0, 1500, (3, 2)), random.uniform(0.5, 5, (3, 2))
    for kind in (np.float32, np.float64):
        for config in CONFIG.values():
            arguments = (config, maps, centre.astype(kind), scale.astype(kind))
            for found, expected in zip(
                hrnet.get_final_preds(*arguments), inference.get_final_preds(*arguments), strict=True
            ):
                same(found, expected, rtol=2e-7, atol=1e-6)  # the last bit of float32; near 0 of the centre's


def test_a_number_as_scale_serves_both_axes() -> None:
    maps = heatmaps(2, 3, 12, 10)
    centre, scale = np.full((2, 2), 50.0), np.array([0.4, 0.7])
    found = hrnet.get_final_preds(CONFIG[True], maps, centre, scale)[0]
    np.testing.assert_array_equal(
        found, hrnet.get_final_preds(CONFIG[True], maps, centre, np.stack([scale, scale], 1))[0]
    )


# What HRNet's own code gives (commit 6f69e46) for rows(6), 20 areas(6), people(12, ties=True), heatmaps(..., seed=6).
GOLDEN_OKS = [0.4153513867, 0.4059201107, 0.2247478849, 0.3907129561, 0.3521717252]
GOLDEN_OKS_VISIBLE = [0.4252085848, 0.43039974, 0.295307271, 0.3509873186, 0.2805821591]
GOLDEN_KEPT = {
    0.3: [9, 5, 0, 10, 2, 8, 3, 4],
    0.5: [9, 5, 0, 10, 2, 8, 3, 4, 6, 1],
    0.55: [9, 5, 0, 10, 2, 8, 3, 7, 4, 6, 1],
}
GOLDEN_SOFT = [9, 5, 0, 8, 10, 2, 3, 4, 7, 11, 1, 6]
GOLDEN_PEAKS = [[5, 4], [3, 11], [3, 7]]
GOLDEN_FINAL = [[38.75, 48.75], [30, 85], [31.25, 66.25]]


def test_known_oks() -> None:
    poses, sizes = rows(6), 20 * areas(6)
    for threshold, expected in ((None, GOLDEN_OKS), (0.5, GOLDEN_OKS_VISIBLE)):
        found = hrnet.oks_iou(poses[0], poses[1:], sizes[0], sizes[1:], in_vis_thre=threshold)
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_known_suppression() -> None:
    crowd = people(12, ties=True)
    assert {threshold: hrnet.oks_nms(crowd, threshold) for threshold in GOLDEN_KEPT} == GOLDEN_KEPT
    assert hrnet.soft_oks_nms(crowd, 0.5).tolist() == GOLDEN_SOFT


def test_known_decoding() -> None:
    maps = heatmaps(1, 3, 12, 10, seed=6)
    assert hrnet.get_max_preds(maps)[0][0].tolist() == GOLDEN_PEAKS
    found, values = hrnet.get_final_preds(CONFIG[True], maps, np.array([[40.0, 60.0]]), np.array([[0.25, 0.3]]))
    np.testing.assert_allclose(found[0], GOLDEN_FINAL, rtol=1e-6)
    np.testing.assert_array_equal(values[..., 0], maps.max((2, 3)))


def test_a_joint_counts_by_the_second_pose_alone_unless_both_are_asked_for() -> None:
    pose, other = np.zeros((2, 17, 3))
    pose[:, 2], other[:, 2] = [1] * 8 + [0] * 9, [0] * 4 + [1] * 13
    other[8:, 0] = 1e4  # far away where only the second is visible
    arguments = (pose.ravel(), other.reshape(1, -1), 100.0, [100.0], None, 0.5)
    assert hrnet.oks_iou(*arguments) == pytest.approx([4 / 13])
    assert hrnet.oks_iou(*arguments, visible_in_both=True).tolist() == [1]
    crowd = [{"keypoints": each, "score": s, "area": 100.0} for each, s in ((pose, 2), (other, 1))]
    assert hrnet.oks_nms(crowd, 0.5, None, 0.5) == [0, 1]
    assert hrnet.oks_nms(crowd, 0.5, None, 0.5, visible_in_both=True) == [0]
    crowd.append({"keypoints": pose + np.array([1e6, 0, 0]), "score": 0.5, "area": 100.0})
    assert hrnet.soft_oks_nms(crowd, 0.5, None, 0.5).tolist() == [0, 1, 2]
    assert hrnet.soft_oks_nms(crowd, 0.5, None, 0.5, visible_in_both=True).tolist() == [0, 2, 1]


def test_both_visible_is_what_oks_matrix_means() -> None:
    poses, sizes = rows(12), areas(12)
    triples = poses.reshape(12, 17, 3)
    found = hrnet.oks_iou(poses[0], poses[1:], sizes[0], sizes[1:], in_vis_thre=0.5, visible_in_both=True)
    visible = triples[..., 2] > 0.5
    arguments = {"area": (sizes[1:], sizes[:1]), "sigmas": SIGMAS, "a_visible": visible[1:], "b_visible": visible[:1]}
    expected = oks_matrix(triples[1:, :, :2].copy(), triples[:1, :, :2].copy(), **arguments)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-34)


@pytest.mark.parametrize("n", [2, 9])  # by the formula, and by the native operation
def test_an_oks_that_equals_the_threshold_is_kept(n: int) -> None:
    poses = np.zeros((n, 2, 3))
    poses[1:, 0] = 1e4 * np.arange(1, n)[:, None]  # half of the joints are far away, the others coincide
    crowd = [{"keypoints": pose, "score": -i, "area": 100.0} for i, pose in enumerate(poses)]
    for visible in (None, -1):
        assert hrnet.oks_nms(crowd, 0.5, np.full(2, 0.05), visible) == list(range(n))
        assert hrnet.oks_nms(crowd, 0.49, np.full(2, 0.05), visible) == [0]


@pytest.mark.parametrize("n", [1, 9])
def test_without_an_area_joints_count_that_coincide(n: int) -> None:
    poses = np.zeros((n + 1, 51))
    poses[1:, 12:] = 1
    found = hrnet.oks_iou(poses[0], poses[1:], 0.0, np.zeros(n))
    np.testing.assert_allclose(found, np.full(n, 4 / 17), rtol=1e-12)


def test_visibility_is_compared_in_its_own_dtype() -> None:
    pose = np.tile(np.float32([1, 2, 0.2]), 17)  # float32(0.2) is over 0.2, and not over float32(0.2)
    assert hrnet.oks_iou(pose, pose[None], 9.0, [9.0], None, 0.2).tolist() == [0]
    assert hrnet.oks_iou(pose.astype(np.float64), pose[None].astype(np.float64), 9.0, [9.0], None, 0.2).tolist() == [1]


def test_a_list_of_sigmas_stands_for_coco() -> None:
    poses, sizes = rows(3), areas(3)
    arguments = (poses[0], poses[1:], sizes[0], sizes[1:])
    np.testing.assert_array_equal(hrnet.oks_iou(*arguments, sigmas=[0.01] * 17), hrnet.oks_iou(*arguments))


def test_nothing() -> None:
    assert hrnet.oks_nms([], 0.5) == [] == hrnet.soft_oks_nms([], 0.5)
    assert hrnet.oks_iou(rows(1)[0], rows(0), 1.0, []).shape == (0,)


def test_soft_suppression_stops_at_20() -> None:
    assert len(hrnet.soft_oks_nms(people(31), 0.9)) == 20


def test_maps_without_a_positive_value_and_with_nan() -> None:
    maps = np.full((1, 3, 6, 8), -1.0, np.float32)
    maps[0, 1, 4, 5] = 2
    maps[0, 2, 2, 3], maps[0, 2, 4, 5] = np.nan, 7
    places, values = hrnet.get_max_preds(maps)
    assert places[0].tolist() == [[0, 0], [5, 4], [0, 0]]
    assert values[0, :2, 0].tolist() == [-1, 2] and np.isnan(values[0, 2, 0])


def test_the_work_is_done_by_ops() -> None:
    maps = heatmaps(2, 17, 24, 18)
    centre, scale = np.array([[9.0, 12.0]] * 2), np.full((2, 2), 18 / 200)  # the heatmap's own pixels
    found = hrnet.get_final_preds(CONFIG[True], maps, centre, scale)[0]
    np.testing.assert_allclose(found, heatmap_peaks(maps, refine="quarter")[0], atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: hrnet.get_max_preds([[1]]), AssertionError, "batch_heatmaps should be numpy.ndarray"),
        (lambda: hrnet.get_max_preds(np.zeros((2, 4, 4))), AssertionError, "batch_images should be 4-ndim"),
        (lambda: hrnet.get_max_preds(np.zeros((0, 2, 4, 4))), ValueError, "cannot reshape"),
        (lambda: hrnet.oks_iou(rows(1)[0], rows(3), 1.0, [1.0, 2.0]), IndexError, "out of bounds"),
        (lambda: hrnet.oks_iou(rows(1)[0], rows(3, joints=15), 1.0, np.ones(3)), ValueError, "shape"),
        (lambda: hrnet.oks_nms([{"score": 1}], 0.5), KeyError, "keypoints"),
    ],
)
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_importing_loads_neither_torch_nor_hrnet() -> None:
    script = "import sys, ptfast.dropin.hrnet; print({'torch', 'cv2', 'nms', 'core'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
