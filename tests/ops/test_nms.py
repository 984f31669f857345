from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from peers import peer

import ptfast
from ptfast.ops import nms, nms_padded, oks_nms, oks_nms_padded, soft_oks_nms, tube_nms, tube_nms_padded
from ptfast.reference import nms as reference
from ptfast.skeletons import COCO_17

SIGMAS = np.asarray(COCO_17.sigmas)
SIZES = [0, 1, 5, 63, 64, 65, 300]  # 64 are settled among themselves


def tubes(n: int, t: int = 1, dtype: type = np.float32) -> np.ndarray:
    """Boxes in clusters, some of them empty."""
    random = np.random.default_rng(n)
    corner = random.integers(0, 5, (n, 1, 2)) * 40 + random.integers(0, 12, (n, t, 2))
    return np.concatenate([corner, corner + random.integers(-1, 40, (n, t, 2))], -1).astype(dtype)


def scores(n: int, dtype: type = np.float32) -> np.ndarray:
    """Many are equal, some negative, and there are zeros of both signs."""
    return np.random.default_rng(n).integers(-4, 10, n).astype(dtype) * dtype(-0.1)


def poses(n: int, dtype: type = np.float32) -> tuple[np.ndarray, ...]:
    """Keypoints, scores, areas and sigmas of poses in clusters."""
    random = np.random.default_rng(n)
    place = random.integers(0, 4, (n, 1, 2)) * 200 + random.normal(0, 6, (n, 1, 2))
    keypoints = place + np.random.default_rng(0).uniform(0, 100, (17, 2)) + random.normal(0, 5, (n, 17, 2))
    return keypoints.astype(dtype), scores(n, dtype), random.uniform(2e3, 9e3, n).astype(dtype), SIGMAS.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0, 0.3, 0.5, 1])
@pytest.mark.parametrize("n", SIZES)
def test_nms_equals_reference(n: int, threshold: float, dtype: type) -> None:
    boxes = tubes(n, dtype=dtype)[:, 0]
    kept = nms(boxes, scores(n, dtype), threshold)
    assert kept.dtype == np.int64
    np.testing.assert_array_equal(kept, reference.nms(boxes, scores(n, dtype), threshold))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("t", [0, 1, 3])
@pytest.mark.parametrize("n", SIZES)
def test_tube_nms_equals_reference(n: int, t: int, dtype: type) -> None:
    boxes = tubes(n, t, dtype)
    np.testing.assert_array_equal(
        tube_nms(boxes, scores(n, dtype), 0.3), reference.tube_nms(boxes, scores(n, dtype), 0.3)
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0.2, 0.7, 1])
@pytest.mark.parametrize("n", SIZES)
def test_oks_nms_equals_reference(n: int, threshold: float, dtype: type) -> None:
    inputs = poses(n, dtype)
    np.testing.assert_array_equal(oks_nms(*inputs, threshold), reference.oks_nms(*inputs, threshold))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_detections", [0, 1, 20, 1000])
@pytest.mark.parametrize("n", [0, 1, 64, 100])
def test_soft_oks_nms_equals_reference(n: int, max_detections: int, dtype: type) -> None:
    inputs = poses(n, dtype)
    kept, rescored = soft_oks_nms(*inputs, 0.4, max_detections=max_detections)
    expected, expected_scores = reference.soft_oks_nms(*inputs, 0.4, max_detections=max_detections)
    assert rescored.dtype == dtype
    np.testing.assert_allclose(rescored, expected_scores, rtol=2e-5, atol=1e-12)
    # Scores that have fallen to next to nothing differ by rounding alone, and so may their order.
    certain = np.abs(expected_scores) > 1e-3
    np.testing.assert_array_equal(kept[certain], expected[certain])
    assert len(set(kept.tolist())) == min(n, max_detections)


def test_ties_go_to_the_lower_index_and_zeros_of_both_signs_tie() -> None:
    apart = np.float32([[10 * i, 0, 10 * i + 1, 1] for i in range(5)])
    assert nms(apart, np.float32([0, 1, -0.0, 1, 0]), 0.5).tolist() == [1, 3, 0, 2, 4]
    same = np.zeros((5, 4), np.float32) + np.float32([0, 0, 1, 1])
    assert nms(same, np.float32([0, 1, -0.0, 1, 0]), 0.5).tolist() == [1]


def test_an_overlap_equal_to_the_threshold_is_kept() -> None:
    boxes = np.float32([[0, 0, 4, 4], [0, 0, 4, 2]])  # IoU 1/2
    assert nms(boxes, np.float32([2, 1]), 0.5).tolist() == [0, 1]
    assert nms(boxes, np.float32([2, 1]), 0.49).tolist() == [0]


def test_oks_nms_uses_the_mean_of_both_areas() -> None:
    keypoints = np.zeros((2, 1, 2))
    keypoints[1, 0, 0] = 10
    oks = np.exp(-100 / (2 * (2 * 0.1) ** 2 * 2000))  # areas 1000 and 3000
    inputs = (keypoints, np.array([2.0, 1.0]), np.array([1000.0, 3000.0]), np.array([0.1]))
    assert oks_nms(*inputs, oks + 1e-9).tolist() == [0, 1]
    assert oks_nms(*inputs, oks - 1e-9).tolist() == [0]
    _, rescored = soft_oks_nms(*inputs, 0.5)
    np.testing.assert_allclose(rescored, [2, np.exp(-(oks**2) / 0.5)], rtol=1e-14)


def test_poses_without_area_are_suppressed_by_equal_ones_alone() -> None:
    keypoints, _, areas, sigmas = poses(3)
    keypoints[1] = keypoints[0]
    keypoints[2, :16] = keypoints[0, :16]
    assert oks_nms(keypoints, np.float32([3, 2, 1]), areas * 0, sigmas, 0.5).tolist() == [0, 2]


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
def test_padded_forms_end_in_minus_1(convert) -> None:
    boxes, order = convert(tubes(50)), convert(scores(50))
    for (kept, count), short in [
        (nms_padded(boxes[:, 0], order, 0.3), nms(boxes[:, 0], order, 0.3)),
        (tube_nms_padded(boxes, order, 0.3), tube_nms(boxes, order, 0.3)),
        (oks_nms_padded(*map(convert, poses(50)), 0.3), oks_nms(*map(convert, poses(50)), 0.3)),
    ]:
        assert len(kept) == 50 and count == len(short) and 0 < len(short) < 50
        assert (kept[:count] == short).all() and (kept[count:] == -1).all()


def test_takes_strided_and_integer_input() -> None:
    boxes = tubes(80)[::2, 0, :]
    expected = reference.nms(boxes, scores(80)[::2], 0.3)
    np.testing.assert_array_equal(nms(boxes, scores(80)[::2], 0.3), expected)
    np.testing.assert_array_equal(nms(boxes.astype(np.int64), scores(80)[::2], 0.3), expected)


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_named(bad: float, convert) -> None:
    boxes, pose = tubes(5, 2), list(poses(5))
    boxes[3, 1, 2] = bad
    pose[2][4] = bad
    with pytest.raises(ValueError, match=rf"tubes must be finite, got {bad} at \(3, 1, 2\)"):
        tube_nms(convert(boxes), convert(scores(5)), 0.5)
    with pytest.raises(ValueError, match=rf"boxes must be finite, got {bad} at \(3, 2\)"):
        nms(convert(boxes[:, 1]), convert(scores(5)), 0.5)
    for operation in (oks_nms, soft_oks_nms):
        with pytest.raises(ValueError, match=rf"areas must be finite, got {bad} at \(4,\)"):
            operation(*map(convert, pose), 0.5)
    with pytest.raises(ValueError, match=rf"scores must be finite, got {bad} at \(0,\)"):
        nms(convert(tubes(2)[:, 0]), convert(np.float32([bad, 1])), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nms(tubes(3), scores(3), 0.5), r"boxes must have shape \(N, 4\), got \(3, 1, 4\)"),
        (lambda: nms(tubes(3)[:, 0], scores(2), 0.5), r"scores must have shape \(3,\), got \(2,\)"),
        (lambda: tube_nms(tubes(3)[:, 0], scores(3), 0.5), r"tubes must have shape \(N, T, 4\), got \(3, 4\)"),
        (lambda: nms(tubes(3)[:, 0], scores(3), 1.5), r"threshold must be between 0 and 1, got 1\.5"),
        (lambda: oks_nms(*poses(3), np.nan), r"threshold must be between 0 and 1, got nan"),
        (lambda: soft_oks_nms(*poses(3), 0), r"threshold must be at least 1e-06, got 0"),
        (lambda: soft_oks_nms(*poses(3), 1, max_detections=-1), "max_detections must be between 0 and"),
        (lambda: oks_nms(*poses(3)[:3], SIGMAS[:4], 0.5), r"sigmas must have shape \(17,\), got \(4,\)"),
    ],
)
def test_wrong_arguments_are_named(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_threads_do_not_change_what_is_kept() -> None:
    inputs, results = poses(6000), []
    for threads in (1, 3):
        ptfast.set_num_threads(threads)
        results.append((oks_nms(*inputs, 0.99), *soft_oks_nms(*inputs, 0.5)))
    ptfast.set_num_threads(0)
    for one, three in zip(*results, strict=True):
        np.testing.assert_array_equal(one, three)


def test_tensors_give_detached_tensors_of_the_same_numbers() -> None:
    inputs = poses(40)
    pose = [torch.as_tensor(x).requires_grad_() for x in inputs]
    boxes = torch.as_tensor(tubes(40)).requires_grad_()
    for result, expected in [
        (nms(boxes[:, 0], pose[1], 0.3), nms(tubes(40)[:, 0], inputs[1], 0.3)),
        (tube_nms(boxes, pose[1], 0.3), tube_nms(tubes(40), inputs[1], 0.3)),
        (oks_nms(*pose, 0.3), oks_nms(*inputs, 0.3)),
        (soft_oks_nms(*pose, 0.3)[0], soft_oks_nms(*inputs, 0.3)[0]),
        (soft_oks_nms(*pose, 0.3)[1], soft_oks_nms(*inputs, 0.3)[1]),
    ]:
        assert not result.requires_grad
        np.testing.assert_array_equal(result.numpy(), expected)


def test_torch_operations_pass_opcheck() -> None:
    pose = [torch.as_tensor(x) for x in poses(30)]
    operations = torch.ops.ptfast
    torch.library.opcheck(operations.nms_padded.default, (torch.as_tensor(tubes(30))[:, 0], pose[1], 0.3))
    torch.library.opcheck(operations.nms_padded.default, (torch.as_tensor(tubes(30, 3)), pose[1], 0.3))
    torch.library.opcheck(operations.oks_nms_padded.default, (*pose, 0.3))
    torch.library.opcheck(operations.soft_oks_nms.default, (*pose, 0.3, 20))


def test_padded_forms_compile_into_one_graph() -> None:
    boxes, pose = torch.as_tensor(tubes(30)), [torch.as_tensor(x) for x in poses(30)]

    def everything(boxes: torch.Tensor, *pose: torch.Tensor) -> tuple[torch.Tensor, ...]:
        hard = (nms_padded(boxes[:, 0], pose[1], 0.3), tube_nms_padded(boxes, pose[1], 0.3))
        return *hard[0], *hard[1], *oks_nms_padded(*pose, 0.3), *soft_oks_nms(*pose, 0.3)

    compiled = torch.compile(everything, fullgraph=True, backend="aot_eager")(boxes, *pose)
    torch.testing.assert_close(compiled, everything(boxes, *pose), rtol=0, atol=0)


def test_nms_keeps_what_torchvision_keeps() -> None:
    torchvision = peer("torchvision")
    random = np.random.default_rng(0)
    corner = random.integers(0, 10, (500, 2)) * 50 + random.uniform(0, 20, (500, 2))
    boxes = torch.as_tensor(np.concatenate([corner, corner + random.uniform(5, 60, (500, 2))], 1), dtype=torch.float32)
    order = torch.as_tensor(random.permutation(500), dtype=torch.float32)
    assert nms(boxes, order, 0.45).tolist() == torchvision.ops.nms(boxes, order, 0.45).tolist()


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_a_count_that_is_no_integer_is_named(kind: Callable[[np.ndarray], Any]) -> None:
    inputs = [kind(column) for column in poses(3)]
    for count in (0.5, np.inf, "all"):
        with pytest.raises(TypeError, match="max_detections must be an integer, got"):
            soft_oks_nms(*inputs, 0.4, max_detections=count)
    assert len(soft_oks_nms(*inputs, 0.4, max_detections=2**62)[0]) == 3
