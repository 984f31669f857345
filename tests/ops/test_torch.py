"""Promises of every torch operation: one compiled graph, autocast, and on GPUs graphs, streams and devices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ptfast import ops

Operation = Callable[..., object]


def boxes(*shape: int) -> Tensor:
    low = torch.rand(*shape, 2) * 60
    return torch.cat([low, low + 5 + torch.rand(*shape, 2) * 40], -1)


def poses(*shape: int) -> Tensor:
    return torch.rand(*shape, 1, 2) * 40 + torch.rand(*shape, 17, 2) * 60


AREAS, SIGMAS, HEADS = torch.full((9,), 2e3), torch.full((17,), 0.07), torch.full((9,), 12.0)
INDEX, FRAME_INDEX = torch.zeros(9, dtype=torch.int64), torch.zeros(9, 3, dtype=torch.int64)
NORMAL = {"size": (24, 18), "mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4)}
POOL = {"output_size": 3, "spatial_scale": 0.25}
PYRAMID = {"output_size": 3, "spatial_scales": (0.25, 0.125)}
# An operation by name, and what it is given; numbers and options stand in the operation.
OPERATIONS: dict[str, tuple[Operation, tuple[Tensor, ...]]] = {
    "oks_matrix": (
        lambda a, b, area, sigmas: ops.oks_matrix(a, b, area=area, sigmas=sigmas),
        (poses(7), poses(9), AREAS, SIGMAS),
    ),
    "iou_matrix": (ops.iou_matrix, (boxes(7), boxes(9))),
    "tube_iou_matrix": (ops.tube_iou_matrix, (boxes(7, 3), boxes(9, 3))),
    "pckh_matrix": (lambda a, b, heads: ops.pckh_matrix(a, b, head_sizes=heads), (poses(7), poses(9), HEADS)),
    "assign": (ops.assign, (torch.rand(50, 15, 12),)),
    "assign greedy": (lambda cost: ops.assign(cost, method="greedy"), (torch.rand(50, 40, 60),)),
    "nms_padded": (lambda b, s: ops.nms_padded(b, s, 0.5), (boxes(200), torch.rand(200))),
    "tube_nms_padded": (lambda b, s: ops.tube_nms_padded(b, s, 0.5), (boxes(200, 3), torch.rand(200))),
    "oks_nms_padded": (lambda *x: ops.oks_nms_padded(*x, 0.5), (poses(9), torch.rand(9), AREAS, SIGMAS)),
    "soft_oks_nms": (lambda *x: ops.soft_oks_nms(*x, 0.5), (poses(9), torch.rand(9), AREAS, SIGMAS)),
    "heatmap_peaks": (lambda x: ops.heatmap_peaks(x, refine="quarter"), (torch.rand(3, 17, 16, 12),)),
    "heatmap_peaks taylor": (lambda x: ops.heatmap_peaks(x, refine="taylor"), (torch.rand(3, 17, 16, 12),)),
    "flip_average": (
        lambda a, b: ops.flip_average(a, b, ((1, 2),)),
        (torch.rand(3, 17, 16, 12), torch.rand(3, 17, 16, 12)),
    ),
    "crop_tubes": (
        lambda f, t, i: ops.crop_tubes(f, t, i, **NORMAL),
        (torch.randint(0, 256, (2, 64, 80, 3), dtype=torch.uint8), boxes(9, 3), FRAME_INDEX),
    ),
    "sample_flow": (ops.sample_flow, (torch.rand(20, 30, 2), torch.rand(50, 2) * 25)),
    "tube_roi_align": (lambda *x: ops.tube_roi_align(*x, **POOL), (torch.rand(1, 16, 3, 20, 20), boxes(9, 3), INDEX)),
    "pyramid_tube_roi_align": (
        lambda a, b, *x: ops.pyramid_tube_roi_align([a, b], *x, **PYRAMID),
        (torch.rand(1, 16, 3, 20, 20), torch.rand(1, 16, 3, 10, 10), boxes(9, 3), INDEX),
    ),
}  # fmt: skip


def flat(result: object) -> list[Tensor]:
    return list(result) if isinstance(result, tuple) else [result]


@pytest.mark.parametrize("name", OPERATIONS)
def test_compiles_into_one_graph_of_any_size(name: str) -> None:
    operation, inputs = OPERATIONS[name]
    compiled = torch.compile(operation, fullgraph=True, dynamic=True, backend="aot_eager")
    torch.testing.assert_close(flat(compiled(*inputs)), flat(operation(*inputs)), rtol=0, atol=0)
    torch.compiler.reset()


@pytest.mark.parametrize("name", OPERATIONS)
def test_autocast_changes_nothing(name: str) -> None:
    operation, inputs = OPERATIONS[name]
    expected = flat(operation(*inputs))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = flat(operation(*inputs))
    torch.testing.assert_close(result, expected, rtol=0, atol=0)


@pytest.mark.cuda
@pytest.mark.parametrize("name", OPERATIONS)
def test_survives_capture_in_a_graph(name: str) -> None:
    operation, inputs = OPERATIONS[name]
    fixed = [x.cuda() for x in inputs]
    expected = [x.clone() for x in flat(operation(*fixed))]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = flat(operation(*fixed))
    for x in captured:
        x.zero_()
    graph.replay()
    torch.testing.assert_close(captured, expected, rtol=0, atol=0)


@pytest.mark.cuda
@pytest.mark.parametrize("name", OPERATIONS)
def test_runs_on_the_callers_stream(name: str) -> None:
    operation, inputs = OPERATIONS[name]
    expected = flat(operation(*(x.cuda() for x in inputs)))
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(20_000_000)  # what runs on another stream would see the inputs too early
        result = flat(operation(*(x.cuda(non_blocking=True) for x in inputs)))
    stream.synchronize()
    torch.testing.assert_close(result, expected, rtol=0, atol=0)


@pytest.mark.cuda
@pytest.mark.parametrize("name", OPERATIONS)
def test_runs_on_the_tensors_device_and_leaves_the_current_one(name: str) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
    operation, inputs = OPERATIONS[name]
    expected = [x.cpu() for x in flat(operation(*(x.cuda(0) for x in inputs)))]
    result = flat(operation(*(x.cuda(1) for x in inputs)))
    assert torch.cuda.current_device() == 0 and all(x.device.index == 1 for x in result)
    torch.testing.assert_close([x.cpu() for x in result], expected)


@pytest.mark.cuda
def test_pools_from_a_map_of_more_than_2_to_the_31_elements() -> None:
    if torch.cuda.mem_get_info()[0] < 8 << 30:
        pytest.skip("needs 8 GB of free GPU memory")
    features = torch.zeros(1, 33, 1024, 1024, 64, dtype=torch.float16, device="cuda").permute(0, 4, 1, 2, 3)
    features[0, :, -1] = 1
    tubes = torch.tensor([1000.0, 1000, 1020, 1020], device="cuda").expand(1, 33, 4)
    result = ops.tube_roi_align(features, tubes, INDEX[:1].cuda(), output_size=3, spatial_scale=1)
    assert (result[:, :, -1] == 1).all() and not result[:, :, :-1].any()
