"""Checkpoints of training runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch
from torch import nn

from ptfast.training.checkpoints import load_checkpoint, read_checkpoint, save_checkpoint
from ptfast.training.log import Log
from ptfast.training.mask_rcnn import MaskRcnnConfig


def trained() -> tuple[nn.Module, torch.optim.Optimizer]:
    """A layer after one step."""
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    return model, optimizer


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    model, optimizer = trained()
    path, config = tmp_path / "checkpoint.pt", MaskRcnnConfig(seed=3)
    save_checkpoint(path, model, optimizer, 17, config)
    other = nn.Linear(2, 3)
    fresh = torch.optim.AdamW(other.parameters())
    assert load_checkpoint(path, other, fresh, config) == 17
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    states = [one.state_dict()["state"][0] for one in (optimizer, fresh)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in ("step", "exp_avg", "exp_avg_sq"))
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_equal_runs_leave_equal_files(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt"):
        save_checkpoint(tmp_path / name, *trained(), 17, MaskRcnnConfig())
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


@pytest.mark.parametrize("free", [200, 700, 3000])
def test_a_full_disk_is_told_with_the_checkpoints_name(free: int, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path, (model, optimizer) = tmp_path / "checkpoint.pt", trained()
    save_checkpoint(path, model, optimizer, 1, MaskRcnnConfig())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, limits[1]))
    try:
        with pytest.raises(OSError) as full:
            save_checkpoint(path, model, optimizer, 2, MaskRcnnConfig())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.value.filename == str(path) and full.value.strerror
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert read_checkpoint(path)["step"] == 1


def test_a_full_disk_is_told_with_the_logs_name(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.path.unlink()
    log.path.symlink_to("/dev/full")
    if not log.path.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError) as full:
        log.figures(7, {"mAP": 1.0})
    assert full.value.filename == str(log.path)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path: Path, monkeypatch: Any) -> None:
    model, optimizer = trained()
    path, config = tmp_path / "checkpoint.pt", MaskRcnnConfig()
    save_checkpoint(path, model, optimizer, 1, config)

    def fail(state: object, target: BinaryIO) -> None:
        target.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(path, model, optimizer, 2, config)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert read_checkpoint(path)["step"] == 1


def test_another_runs_checkpoint_is_an_error(tmp_path: Path) -> None:
    model, optimizer = trained()
    path, config = tmp_path / "checkpoint.pt", MaskRcnnConfig()
    save_checkpoint(path, model, optimizer, 1, config)
    with pytest.raises(ValueError, match=r"checkpoint\.pt: seed: expected this run's 3, found 0"):
        load_checkpoint(path, model, optimizer, replace(config, seed=3))
    other = replace(config, architecture=replace(config.architecture, width=0.5))
    with pytest.raises(ValueError, match=r"checkpoint\.pt: architecture: width: expected this run's 0\.5, found 1\.0"):
        load_checkpoint(path, model, optimizer, other)


def test_entries_that_are_newer_than_the_checkpoint_have_their_defaults(tmp_path: Path) -> None:
    model, optimizer = trained()
    path, config = tmp_path / "checkpoint.pt", MaskRcnnConfig()
    save_checkpoint(path, model, optimizer, 5, config)
    state = read_checkpoint(path)
    del state["config"]["clip_norm"], state["config"]["architecture"]["image_mean"]
    torch.save(state, path)
    assert load_checkpoint(path, model, optimizer, config) == 5
    with pytest.raises(ValueError, match=r"clip_norm: expected this run's 1\.0, found 10\.0"):
        load_checkpoint(path, model, optimizer, replace(config, clip_norm=1.0))


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(FileNotFoundError):
        read_checkpoint(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"checkpoint\.pt: expected a checkpoint, found "):
        read_checkpoint(path)
    torch.save({"step": 1}, path)
    with pytest.raises(ValueError, match=r"checkpoint\.pt: expected a checkpoint of ptfast, found something else"):
        read_checkpoint(path)
