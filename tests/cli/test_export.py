"""ptfast export."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfast.cli import main

pytest.importorskip("onnx", reason="onnx is not installed")


def test_movenet_becomes_a_file_that_onnx_runtime_runs(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    from ptfast.pipeline.onnx import OnnxNetwork

    out = tmp_path / "new" / "thunder.onnx"
    main(["export", "movenet", str(out), "--weights", "movenet-thunder"])
    assert f"written to {out}" in capsys.readouterr().out
    assert set(OnnxNetwork(out).outputs) == {"center", "kpt_heatmap", "kpt_regress", "kpt_offset"}


@pytest.mark.parametrize(
    ("name", "weights", "complaint"),
    [
        ("a.pt", "movenet-thunder", "a.pt: expected a name that ends in .onnx, got .pt"),
        ("a.onnx", "nanodet-g", "network: expected 'movenet', found 'nanodet'"),
        ("a.onnx", "nobody", "nobody: expected a file of weights of a MoveNet, or one of: movenet-multipose"),
    ],
)
def test_other_names_and_weights_are_refused(
    name: str, weights: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["export", "movenet", str(tmp_path / name), "--weights", weights])
    assert end.value.code == 2 and complaint in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
