"""ptfast train flow: from a config to weights that --flow takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ptfast.cli import main
from ptfast.models import FlowNet2S
from ptfast.pipeline.flow import NetworkFlow, load_flow, load_point_flow
from ptfast.synthetic import render
from ptfast.training.checkpoints import read_checkpoint

TINY = "steps = 2\nbatch = 2\nepoch = 1\nwarm_up = 0\ndrops = []\nsize = 64\ncrop = [64, 64]\nvalidation_videos = 1\n"
NARROW = "[architecture]\nwidth = 0.03125\n"


def write_config(folder: Path, more: str = "") -> Path:
    """A run of a tiny network."""
    path = folder / "tiny.toml"
    path.write_text(TINY + more + NARROW)
    return path


def train(config: Path | str, out: Path, *more: str, data: str = "synthetic", workers: str = "0") -> None:
    names = ["--config", str(config), "--data", data, "--out", str(out), "--workers", workers]
    main(["train", "flow", *names, "--threads", "1", *more])


def failure(capsys: pytest.CaptureFixture[str], *arguments: object, **more: str) -> str:
    with pytest.raises(SystemExit) as end:
        train(*arguments, **more)  # type: ignore[arg-type]
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run of two steps left."""
    folder = tmp_path_factory.mktemp("finished")
    train(write_config(folder), folder / "out")
    return folder / "out"


def test_it_leaves_checkpoint_log_and_weights(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        "checkpoint.pt", "log.jsonl", "weights.json", "weights.safetensors"
    }  # fmt: skip
    rows = [json.loads(line) for line in (finished / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2] and all(0 < row["epe"] < 100 for row in rows)
    card = json.loads((finished / "weights.json").read_text())
    assert card["network"] == "flownet2s" and card["architecture"] == {"width": 0.03125} and card["frames"] == 2
    assert card["command"].startswith("ptfast train flow --config ") and card["score"] == rows[-1]
    assert card["training"]["crop"] == [64, 64] and card["seed"] == 0


@pytest.mark.parametrize("card", [True, False])
def test_its_weights_are_a_flow(finished: Path, tmp_path: Path, card: bool) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes((finished / "weights.safetensors").read_bytes())
    if card:
        path.with_suffix(".json").write_bytes((finished / "weights.json").read_bytes())
    flow, trained = load_flow(path), read_checkpoint(finished / "checkpoint.pt")["model"]
    assert isinstance(flow, NetworkFlow) and isinstance(flow.model, FlowNet2S) and not flow.model.training
    for name, value in flow.model.state_dict().items():
        torch.testing.assert_close(value, trained[name], rtol=1e-3, atol=1e-6)
    film = render(1, frames=2, people=2, size=(80, 64))
    field = flow(film.image(0), film.image(1))
    assert field.shape == (64, 80, 2) and np.isfinite(field).all()
    carried = load_point_flow(str(path))
    moved, _ = carried.move(np.array([[5, 6]], np.float32), *(carried.prepare(film.image(frame)) for frame in (0, 1)))
    np.testing.assert_allclose(moved[0], [5, 6] + field[6, 5], atol=1e-4)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_that_is_stopped_goes_on_to_the_same_weights(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    train(config, out, "--minutes", "0", workers=workers)
    assert capsys.readouterr().out.startswith("stopped after 1 of 2 steps, the same command goes on")
    assert not (out / "weights.safetensors").exists()
    train(config, out, "--export", str(tmp_path / "other.safetensors"), workers=workers)
    assert (tmp_path / "other.safetensors").read_bytes() == (finished / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["weights.safetensors", "checkpoint.pt"])
def test_weights_are_where_another_run_starts(finished: Path, tmp_path: Path, name: str) -> None:
    train(write_config(tmp_path, "learning_rate = 0.0\n"), tmp_path / "out", "--weights", str(finished / name))
    again, first = (load_flow(folder / "weights.safetensors").model for folder in (tmp_path / "out", finished))  # type: ignore[union-attr]
    assert all(torch.equal(value, first.state_dict()[name]) for name, value in again.state_dict().items())


def test_bad_input_is_one_line(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = write_config(tmp_path), tmp_path / "out"
    wide = tmp_path / "wide.toml"
    wide.write_text(TINY + NARROW.replace("0.03125", "0.0625"))
    weights, folder = str(finished / "weights.safetensors"), str(tmp_path)
    needed = "data must be synthetic, without images or validation, as annotations have no flow, got "
    cases = [
        ((config, finished, "--seed", "3"), {}, "checkpoint.pt: seed: expected this run's 3, found 0"),
        ((config, out, "--seed", "8000000"), {}, "seed must be from 0 to 7,999,999, got 8,000,000; the rest is for"),
        ((config, out), {"data": folder}, needed + folder),
        ((config, out, "--validation", folder), {}, needed + f"synthetic, {folder}"),
        (("synthetic_3d", out), {}, "synthetic_3d: expected a TOML file or one of synthetic_flow"),
        (
            (wide, out, "--weights", weights),
            {},
            "conv1.0.weight: expected shape (4, 6, 7, 7), found",
        ),
    ]
    for arguments, more, message in cases:
        line = failure(capsys, *arguments, **more)
        assert line.startswith("ptfast train: ") and message in line, line
    assert not out.exists()
