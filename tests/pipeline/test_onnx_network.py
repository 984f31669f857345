"""ONNX files that are no network of people, damaged, or not there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ptfast.pipeline.onnx import OnnxNetwork, load_onnx

from .onnx_graphs import TensorProto, write_graph

KNOWN = r"RTMDet or YOLOX .*RTMPose .*RTMO .*YOLO pose .*MoveNet"


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        ({"logits": np.zeros(1000)}, r"logits \(1, 1000\)"),
        ({"dets": np.zeros((3, 6)), "labels": np.zeros(3)}, r"dets \(1, 3, 6\), labels \(1, 3\)"),
        ({"dets": np.zeros((3, 5)), "keypoints": np.zeros((3, 26, 3))}, r"dets .*, keypoints \(1, 3, 26, 3\)"),
        ({"simcc_x": np.zeros((133, 8)), "simcc_y": np.zeros((133, 8))}, r"simcc_x \(1, 133, 8\)"),
        ({"output": np.zeros((22, 85))}, r"output \(1, 22, 85\)"),  # 32 x 32 has 21 cells
        ({"output": np.zeros((1, 2, 3, 4))}, r"output \(1, 1, 2, 3, 4\)"),
    ],
)
def test_unknown_outputs_are_listed_beside_what_is_known(
    tmp_path: Path, outputs: dict[str, np.ndarray], found: str
) -> None:
    with pytest.raises(ValueError, match=rf"a.onnx: expected outputs of {KNOWN}; found {found}"):
        load_onnx(write_graph(tmp_path / "a.onnx", outputs))


def test_other_inputs_are_refused(tmp_path: Path) -> None:
    path = write_graph(tmp_path / "a.onnx", {"logits": np.zeros(5)}, dtype=TensorProto.UINT8)
    with pytest.raises(ValueError, match=r"a.onnx: expected one input .*found images \(1, 3, 32, 32\) tensor\(uint8\)"):
        load_onnx(path)


def test_damaged_and_absent_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(ValueError, match=r"broken.onnx: expected an ONNX network: "):
        load_onnx(tmp_path / "broken.onnx")
    with pytest.raises(FileNotFoundError, match=r"absent.onnx: expected an ONNX file, there is no such file"):
        load_onnx(tmp_path / "absent.onnx")


def test_images_that_the_network_refuses_are_named(tmp_path: Path) -> None:
    network = OnnxNetwork(write_graph(tmp_path / "a.onnx", {"logits": np.zeros(5)}))
    with pytest.raises(ValueError, match=r"a.onnx: does not run on \(1, 3, 8, 8\): "):
        network([np.zeros((3, 8, 8), np.float32)])


def test_half_precision(tmp_path: Path) -> None:
    path = write_graph(
        tmp_path / "a.onnx", {"value": np.zeros(1)}, added={"value": np.ones(1)}, dtype=TensorProto.FLOAT16
    )
    (output,) = OnnxNetwork(path)([np.full((3, 32, 32), 0.1, np.float32)])
    assert output["value"].dtype == np.float32
    np.testing.assert_array_equal(output["value"], np.float32(np.float16(0.1)))


def test_images_of_several_sizes_keep_their_order(tmp_path: Path) -> None:
    path = write_graph(
        tmp_path / "a.onnx", {"value": np.zeros(1)}, added={"value": np.ones(1)}, size=("h", "w"), batch="b"
    )
    images = [np.full((3, side, side), value, np.float32) for value, side in enumerate([8, 8, 4, 8, 8, 8])]
    assert [float(output["value"][0]) for output in OnnxNetwork(path)(images)] == [0, 1, 2, 3, 4, 5]
    assert OnnxNetwork(path)([]) == []


def test_a_gpu_that_onnx_runtime_lacks_is_named(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in runtime.get_available_providers():
        pytest.skip("ONNX Runtime has CUDA")
    with pytest.raises(ValueError, match=r"device must be cpu, as ONNX Runtime has no CUDA here .*got cuda:1"):
        OnnxNetwork(write_graph(tmp_path / "a.onnx", {"logits": np.zeros(5)}), "cuda:1")


def test_without_onnx_runtime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_graph(tmp_path / "a.onnx", {"logits": np.zeros(5)})
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"ONNX files need onnxruntime: pip install 'ptfast\[onnx\]'"):
        load_onnx(path)
