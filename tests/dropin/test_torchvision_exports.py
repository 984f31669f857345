"""Exports, traces and graphs of models whose operations are swapped for ptfast's: they hold torchvision's alone."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

import pytest
import torch
from peers import peer
from torch import Tensor, nn

from ptfast.dropin import torchvision as dropin

X, SMALLER = torch.rand(1, 4, 16, 24), torch.rand(1, 4, 8, 12)
ROIS = torch.tensor([[0, 2, 1, 20, 13], [0, 3, 2, 9, 11.0]])
BOXES, SCORES = ROIS[:, 1:] * 3, torch.tensor([0.9, 0.8])


@pytest.fixture
def torchvision() -> ModuleType:
    return peer("torchvision.ops")


class Align(nn.Module):
    def __init__(self, library: Any) -> None:
        super().__init__()
        self.pool = library.RoIAlign((3, 2), 0.5, 2)

    def forward(self, x: Tensor, smaller: Tensor, rois: Tensor, scores: Tensor) -> Tensor:
        return self.pool(x, rois)


class Pyramid(nn.Module):
    def __init__(self, library: Any) -> None:
        super().__init__()
        self.pool = library.MultiScaleRoIAlign(["0", "1"], 2, 2, canonical_scale=32, canonical_level=3)

    def forward(self, x: Tensor, smaller: Tensor, rois: Tensor, scores: Tensor) -> Tensor:
        return self.pool({"0": x, "1": smaller}, [rois[:, 1:]], [(64, 96)])


class OneLevel(Pyramid):
    def forward(self, x: Tensor, smaller: Tensor, rois: Tensor, scores: Tensor) -> Tensor:
        return self.pool({"0": x}, [rois[:, 1:]], [(64, 96)])


class Suppress(nn.Module):
    def __init__(self, library: Any) -> None:
        super().__init__()
        self.library = library

    def forward(self, x: Tensor, smaller: Tensor, rois: Tensor, scores: Tensor) -> Tensor:
        kept = self.library.nms(rois[:, 1:], scores, 0.5)
        classes = self.library.batched_nms(rois[:, 1:], scores, scores.long(), 0.5)
        return torch.cat([kept, classes])


class Overlap(Suppress):
    def forward(self, x: Tensor, smaller: Tensor, rois: Tensor, scores: Tensor) -> Tensor:
        return self.library.box_iou(rois[:, 1:], rois[:, 1:])


MODELS = [Align, Pyramid, OneLevel, Suppress, Overlap]
INPUTS = X, SMALLER, ROIS, SCORES


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_an_exported_program_holds_torchvisions_operations(
    torchvision: ModuleType, model: type[nn.Module], strict: bool
) -> None:
    program = torch.export.export(model(dropin).eval(), INPUTS, strict=strict)
    assert "ptfast" not in program.graph_module.code
    torch.testing.assert_close(program.module()(*INPUTS), model(torchvision)(*INPUTS))


@pytest.mark.parametrize("model", MODELS)
def test_a_trace_holds_torchvisions_operations(torchvision: ModuleType, model: type[nn.Module]) -> None:
    traced = torch.jit.trace(model(dropin).eval(), INPUTS, check_trace=False)
    assert "ptfast::" not in str(traced.inlined_graph)
    torch.testing.assert_close(traced(*INPUTS), model(torchvision)(*INPUTS))


@pytest.mark.parametrize("dynamo", [True, False], ids=["dynamo", "torchscript"])
@pytest.mark.parametrize("model", [Align, Pyramid, Suppress])
def test_onnx_holds_onnx_operations(torchvision: ModuleType, model: type[nn.Module], dynamo: bool) -> None:
    onnx = peer("onnx")
    if dynamo:
        peer("onnxscript")
    file = io.BytesIO()
    torch.onnx.export(model(dropin).eval(), INPUTS, file, dynamo=dynamo, opset_version=18, verbose=False)
    proto = onnx.load_from_string(file.getvalue())
    kinds = {node.op_type for node in proto.graph.node}
    assert {node.domain for node in proto.graph.node} <= {"", "pkg.onnxscript.torch_lib"}
    assert "NonMaxSuppression" in kinds if model is Suppress else "RoiAlign" in kinds


@pytest.mark.parametrize("model", [Align, Pyramid, OneLevel])
def test_symbolic_traces_work_as_the_originals(torchvision: ModuleType, model: type[nn.Module]) -> None:
    expected = torch.fx.symbolic_trace(model(torchvision))(*INPUTS)
    ours = model(dropin)
    for _ in range(2):  # before the module's first call and after it
        graph = torch.fx.symbolic_trace(ours)
        assert any("roi_align" in str(node.target) or "pool_traced" in str(node.target) for node in graph.graph.nodes)
        torch.testing.assert_close(graph(*INPUTS), expected)
        torch.testing.assert_close(ours(*INPUTS), expected)  # which tracing leaves as it was


@pytest.mark.parametrize("kind", ["RoIAlign", "MultiScaleRoIAlign"])
def test_a_module_is_traced_by_itself(kind: str) -> None:
    arguments, inputs = {
        "RoIAlign": (((3, 2), 0.5, 2), (X, ROIS)),
        "MultiScaleRoIAlign": ((["0", "1"], 2, 2), ({"0": X, "1": SMALLER}, [BOXES], [(64, 96)])),
    }[kind]
    module = getattr(dropin, kind)(*arguments)
    graph = torch.fx.symbolic_trace(module)
    torch.testing.assert_close(graph(*inputs), module(*inputs))
