"""The CUDA kernels of the nms family, beside the CPU's path."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peers import peer
from torch import Tensor

from ptfast.ops import nms, nms_padded, oks_nms, oks_nms_padded, soft_oks_nms, tube_nms, tube_nms_padded
from ptfast.skeletons import COCO_17

SIZES = [0, 1, 5, 63, 64, 65, 300]  # 64 are settled among themselves
DTYPES = [torch.float32, torch.float64]


def tubes(n: int, t: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Boxes in clusters, some of them empty."""
    random = np.random.default_rng(n)
    corner = random.integers(0, 5, (n, 1, 2)) * 40 + random.integers(0, 12, (n, t, 2))
    boxes = np.concatenate([corner, corner + random.integers(-1, 40, (n, t, 2))], -1)
    return torch.as_tensor(boxes, dtype=dtype)


def scores(n: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Many are equal, some negative, and there are zeros of both signs."""
    return torch.as_tensor(np.random.default_rng(n).integers(-4, 10, n), dtype=dtype) * -0.1


def poses(n: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Keypoints, scores, areas and sigmas of poses in clusters."""
    random = np.random.default_rng(n)
    place = random.integers(0, 4, (n, 1, 2)) * 200 + random.normal(0, 6, (n, 1, 2))
    keypoints = place + np.random.default_rng(0).uniform(0, 100, (17, 2)) + random.normal(0, 5, (n, 17, 2))
    arrays = keypoints, random.uniform(2e3, 9e3, n), np.asarray(COCO_17.sigmas)
    keypoints, areas, sigmas = (torch.as_tensor(array, dtype=dtype) for array in arrays)
    return [keypoints, scores(n, dtype), areas, sigmas]


def same(cuda, operation, tensors: list[Tensor], *options: float, **tolerance: float) -> None:
    """Fails unless the kernels give what the CPU gives."""
    with cuda.aside():
        expected = operation(*tensors, *options)
    result = operation(*map(cuda, tensors), *options)
    results, expectations = ([x] if isinstance(x, Tensor) else x for x in (result, expected))
    for x, wanted in zip(results, expectations, strict=True):
        torch.testing.assert_close(x.cpu(), wanted, **(tolerance if x.is_floating_point() else {"rtol": 0, "atol": 0}))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threshold", [0, 0.3, 1])
@pytest.mark.parametrize("n", SIZES)
def test_nms_equals_that_on_the_cpu(cuda, n: int, threshold: float, dtype: torch.dtype) -> None:
    same(cuda, nms, [tubes(n, dtype=dtype)[:, 0], scores(n, dtype)], threshold)


@pytest.mark.parametrize("t", [0, 1, 3])
@pytest.mark.parametrize("n", SIZES)
def test_tube_nms_equals_that_on_the_cpu(cuda, n: int, t: int) -> None:
    same(cuda, tube_nms, [tubes(n, t), scores(n)], 0.3)
    same(cuda, tube_nms_padded, [tubes(n, t), scores(n)], 0.3)
    same(cuda, torch.ops.ptfast.nms_padded, [tubes(n, t), scores(n)], 0.3)  # with whether all numbers are finite


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threshold", [0.2, 0.7, 1])
@pytest.mark.parametrize("n", SIZES)
def test_oks_nms_equals_that_on_the_cpu(cuda, n: int, threshold: float, dtype: torch.dtype) -> None:
    same(cuda, oks_nms, poses(n, dtype), threshold)
    same(cuda, oks_nms_padded, poses(n, dtype), threshold)
    same(cuda, torch.ops.ptfast.oks_nms_padded, poses(n, dtype), threshold)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", [0, 1, 20])
@pytest.mark.parametrize("n", [0, 1, 64, 1500])  # 1500 are more than there are threads
def test_soft_oks_nms_equals_that_on_the_cpu(cuda, n: int, count: int, dtype: torch.dtype) -> None:
    def soft(*inputs) -> tuple[Tensor, Tensor]:
        return soft_oks_nms(*inputs, 0.4, max_detections=count)

    same(cuda, soft, poses(n, dtype), rtol=2e-5 if dtype == torch.float32 else 1e-12, atol=1e-12)


def test_a_chain_of_overlaps_is_settled_link_by_link(cuda) -> None:
    left = torch.arange(200.0)
    boxes = torch.stack([left, torch.zeros(200), left + 2, torch.ones(200)], 1)  # IoU 1/3 with each neighbour
    assert nms(cuda(boxes), cuda(-left), 0.3).tolist() == list(range(0, 200, 2))
    assert nms(cuda(boxes), cuda(left), 0.3).tolist() == list(range(199, 0, -2))


def test_ties_go_to_the_lower_index_and_zeros_of_both_signs_tie(cuda) -> None:
    apart = torch.tensor([[10 * i, 0, 10 * i + 1, 1] for i in range(5)]).float()
    order = torch.tensor([0, 1, -0.0, 1, 0])
    assert nms(cuda(apart), cuda(order), 0.5).tolist() == [1, 3, 0, 2, 4]
    pose = [apart.reshape(5, 2, 2), order, torch.ones(5), torch.ones(2)]
    assert soft_oks_nms(*map(cuda, pose), 0.5)[0].tolist() == [1, 3, 0, 2, 4]


def test_takes_strided_input(cuda) -> None:
    same(cuda, nms, [tubes(80)[::2, 0], scores(80)[::2]], 0.3)
    keypoints, order, areas, sigmas = poses(80)
    same(cuda, oks_nms, [keypoints[::2].flip(1), order[::2], areas[::2], sigmas], 0.3)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_forms_that_wait_name_numbers_that_are_not_finite(cuda, bad: float) -> None:
    boxes, pose = tubes(100, 2), poses(100)
    boxes[70, 1, 2] = pose[2][4] = bad
    with pytest.raises(ValueError, match=rf"tubes must be finite, got {bad} at \(70, 1, 2\)"):
        tube_nms(cuda(boxes), cuda(scores(100)), 0.5)
    with pytest.raises(ValueError, match=rf"areas must be finite, got {bad} at \(4,\)"):
        oks_nms(*map(cuda, pose), 0.5)
    with pytest.raises(ValueError, match=rf"scores must be finite, got {bad} at \(1,\)"):
        nms(cuda(tubes(2)[:, 0]), cuda(torch.tensor([1, bad])), 0.5)


def test_forms_that_do_not_wait_take_a_nan_score_for_the_lowest(cuda) -> None:
    apart = torch.tensor([[10 * i, 0, 10 * i + 1, 1] for i in range(3)]).float()
    order = torch.tensor([torch.nan, -torch.inf, 1])
    kept, count = nms_padded(cuda(apart), cuda(order), 0.5)
    assert kept.tolist() == [2, 0, 1] and count == 3
    pose = [apart.reshape(3, 2, 2), order, torch.ones(3), torch.ones(2)]
    kept, rescored = soft_oks_nms(*map(cuda, pose), 0.5)
    assert kept.tolist() == [2, 0, 1] and rescored.tolist() == [1, -torch.inf, -torch.inf]


def test_forms_that_do_not_wait_let_a_nan_overlap_nothing(cuda) -> None:
    boxes, pose = torch.tensor([0.0, 0, 1, 1]).repeat(70, 1), [x[:1].repeat(70, *[1] * (x.dim() - 1)) for x in poses(1)]
    boxes[66, 3] = pose[0][66, 5, 0] = torch.nan
    pose[3] = poses(1)[3]
    order = cuda(-torch.arange(70.0))
    for kept, count in [
        nms_padded(cuda(boxes), order, 0.5),
        oks_nms_padded(cuda(pose[0]), order, *map(cuda, pose[2:]), 0.5),
    ]:
        assert kept.tolist() == [0, 66, *[-1] * 68] and count == 2
    kept, rescored = soft_oks_nms(cuda(pose[0]), order + 100, *map(cuda, pose[2:]), 0.5)
    assert kept[:2].tolist() == [0, 66] and rescored[:2].tolist() == [100, 34]


@pytest.mark.parametrize("order", ["reverse", "shuffled"])
def test_no_thread_depends_on_another_being_first(emulated_cuda, order: str) -> None:
    def everything() -> tuple[Tensor, ...]:
        return nms(tubes(300)[:, 0], scores(300), 0.3), oks_nms(*poses(300), 0.3), *soft_oks_nms(*poses(300), 0.3)

    first = everything()
    emulated_cuda.control.set_order(order, 1)
    torch.testing.assert_close(everything(), first, rtol=0, atol=0)


def padded(boxes: Tensor, *pose: Tensor) -> tuple[Tensor, ...]:
    hard = nms_padded(boxes[:, 0], pose[1], 0.3), tube_nms_padded(boxes, pose[1], 0.3), oks_nms_padded(*pose, 0.3)
    return *hard[0], *hard[1], *hard[2], *soft_oks_nms(*pose, 0.3)


@pytest.mark.cuda
def test_padded_forms_can_be_captured_in_a_cuda_graph() -> None:
    inputs = [x.cuda() for x in (tubes(300, 2), *poses(300))]
    expected = padded(*inputs)
    static = [torch.zeros_like(x) for x in inputs]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        padded(*static)
    side.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = padded(*static)
    for x, own in zip(static, inputs, strict=True):
        x.copy_(own)
    graph.replay()
    torch.testing.assert_close(results, expected, rtol=0, atol=0)


@pytest.mark.cuda
def test_padded_forms_do_not_wait_for_the_device() -> None:
    inputs = [x.cuda() for x in (tubes(300, 2), *poses(300))]
    padded(*inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        padded(*inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
def test_padded_forms_compile_into_one_graph() -> None:
    inputs = [x.cuda() for x in (tubes(30, 2), *poses(30))]
    compiled = torch.compile(padded, fullgraph=True, dynamic=True, backend="aot_eager")(*inputs)
    torch.testing.assert_close(compiled, padded(*inputs), rtol=0, atol=0)


@pytest.mark.cuda
def test_torch_operations_pass_opcheck() -> None:
    boxes, *pose = [x.cuda() for x in (tubes(30, 2), *poses(30))]
    torch.library.opcheck(torch.ops.ptfast.nms_padded.default, (boxes, pose[1], 0.3))
    torch.library.opcheck(torch.ops.ptfast.oks_nms_padded.default, (*pose, 0.3))
    torch.library.opcheck(torch.ops.ptfast.soft_oks_nms.default, (*pose, 0.3, 20))


@pytest.mark.cuda
def test_nms_of_many_boxes_keeps_what_torchvision_keeps() -> None:
    torchvision = peer("torchvision")
    random = torch.Generator("cuda").manual_seed(0)
    corner = torch.rand(20000, 2, generator=random, device="cuda") * 2000
    boxes = torch.cat([corner, corner + torch.rand(20000, 2, generator=random, device="cuda") * 60 + 5], 1)
    order = torch.randperm(20000, generator=random, device="cuda").float()
    assert nms(boxes, order, 0.45).tolist() == torchvision.ops.nms(boxes, order, 0.45).tolist()
