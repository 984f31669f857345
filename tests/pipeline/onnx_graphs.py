"""Tiny ONNX files whose outputs are known: constants, and what a pixel of the input adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

PIXEL = (0, 0, 0)  # channel, row and column
OPSET = 17


def write_graph(
    path: Path,
    outputs: Mapping[str, np.ndarray],
    *,
    added: Mapping[str, np.ndarray] | None = None,
    pixel: tuple[int, int, int] = PIXEL,
    size: tuple[int | str, int | str] = (32, 32),
    batch: int | str = 1,
    focus: bool = False,
    dtype: int = TensorProto.FLOAT,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Writes a network.

    Args:
        path: The file.
        outputs: Each output's values for one image, without the batch's axis. Those of integers are int64.
        added: Of some outputs, what the pixel's value is multiplied by before it is added.
        pixel: Channel, row and column of the input.
        size: Height and width of the input, names where they are free.
        batch: Images of the input, or a name.
        focus: Has a convolution that sees 12 channels.
        dtype: The input's.
        metadata: What an exporting program says of it.
    """
    nodes = [helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT)]
    constants = {"start": np.array(pixel), "end": np.array(pixel) + 1, "axes": np.array([1, 2, 3])}
    nodes.append(helper.make_node("Slice", ["floats", "start", "end", "axes"], ["pixel"]))
    declared = []
    for name, values in outputs.items():
        weights = (added or {}).get(name, np.zeros_like(values))
        constants |= {f"{name}_constant": values[None].astype(np.float32)}
        constants |= {f"{name}_weights": weights[None].astype(np.float32)}
        constants |= {f"{name}_shape": np.array([-1] + [1] * values.ndim)}
        kind = TensorProto.INT64 if values.dtype.kind == "i" else TensorProto.FLOAT
        nodes += [
            helper.make_node("Reshape", ["pixel", f"{name}_shape"], [f"{name}_pixel"]),
            helper.make_node("Mul", [f"{name}_pixel", f"{name}_weights"], [f"{name}_product"]),
            helper.make_node("Add", [f"{name}_product", f"{name}_constant"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [name], to=kind),
        ]
        declared.append(helper.make_tensor_value_info(name, kind, [batch, *values.shape]))
    if focus:
        constants["focus"] = np.zeros((4, 12, 3, 3), np.float32)
        nodes.append(helper.make_node("Concat", ["floats"] * 4, ["twelve"], axis=1))
        nodes.append(helper.make_node("Conv", ["twelve", "focus"], ["unused"]))
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("images", dtype, [batch, 3, *size])],
        declared,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
