"""The training loop."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset
from tqdm import tqdm

from ptfast.models import MaskRcnn3d
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.config import RunConfig
from ptfast.training.data.clips import Clip
from ptfast.training.interruption import Interruption, Terminated
from ptfast.training.log import Log
from ptfast.training.loop import train
from ptfast.training.mask_rcnn import MaskRcnnConfig, mask_rcnn_task
from ptfast.training.optimisation import learning_rate, make_optimizer


class Counted(Dataset):
    """Clips, and something that happens with the one of a number."""

    def __init__(self, clips: Dataset, number: int, event: object) -> None:
        self.clips, self.number, self.event = clips, number, event

    def __getitem__(self, index: int) -> Clip:
        if index == self.number:
            self.event()  # type: ignore[operator]
        return self.clips[index]


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.fixture(scope="module")
def whole(tiny: MaskRcnnConfig, clips: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[MaskRcnn3d, Path]:
    """Four steps in one go, and where they left what."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("whole")
    return train(mask_rcnn_task(tiny), clips, out, workers=0)[0], out


@pytest.mark.parametrize("workers", [0, 1])
def test_going_on_is_exact_to_the_bit(
    tiny: MaskRcnnConfig, clips: Dataset, whole: tuple[MaskRcnn3d, Path], tmp_path: Path, workers: int
) -> None:
    data = Counted(clips, 2, interrupt) if workers == 0 else clips  # in the second step
    if workers == 0:
        with pytest.raises(
            KeyboardInterrupt, match=r"a checkpoint after 2 of 4 steps is in .*; the same command goes on"
        ):
            train(mask_rcnn_task(tiny), data, tmp_path, workers=0)
        done = read_checkpoint(tmp_path / "checkpoint.pt")["step"]
    else:
        _, done = train(mask_rcnn_task(tiny), data, tmp_path, workers=1, minutes=0)  # one step
    assert 0 < done < 4
    torch.manual_seed(99)  # must not matter
    model, done = train(mask_rcnn_task(tiny), clips, tmp_path, workers=workers)
    assert done == 4
    assert same_weights(model, whole[0])
    optimizers = [read_checkpoint(folder / "checkpoint.pt")["optimizer"]["state"] for folder in (tmp_path, whole[1])]
    for number, state in optimizers[0].items():
        assert all(torch.equal(value, optimizers[1][number][name]) for name, value in state.items())


def test_a_finished_run_stays_as_it_is(tiny: MaskRcnnConfig, clips: Dataset, whole: tuple[MaskRcnn3d, Path]) -> None:
    path = whole[1] / "checkpoint.pt"
    before = path.stat().st_mtime_ns
    model, done = train(mask_rcnn_task(tiny), clips, whole[1], workers=0)
    assert done == 4 and same_weights(model, whole[0]) and path.stat().st_mtime_ns == before


def test_the_seed_and_the_start_matter(
    tiny: MaskRcnnConfig, clips: Dataset, whole: tuple[MaskRcnn3d, Path], tmp_path: Path
) -> None:
    once = replace(tiny, steps=1)
    start = {name: value.clone() for name, value in whole[0].state_dict().items()}
    models = [
        train(
            mask_rcnn_task(replace(once, seed=seed)),
            clips,
            tmp_path / f"{seed}{bool(weights)}",
            workers=0,
            start=weights,
        )[0]
        for seed, weights in ((0, None), (1, None), (0, start))
    ]
    assert not same_weights(models[0], models[1]) and not same_weights(models[0], models[2])
    name = "body.stem.0.weight" if "body.stem.0.weight" in start else next(iter(start))
    moved = (models[2].state_dict()[name] - start[name]).abs().max()
    assert moved < 2 * learning_rate(once, 0)  # one step of AdamW from there


def test_validation_sees_the_network_in_evaluation_mode_each_epoch(
    tiny: MaskRcnnConfig, clips: Dataset, tmp_path: Path
) -> None:
    seen = []

    def validate(model: MaskRcnn3d) -> dict[str, float]:
        seen.append((model.training, read_checkpoint(tmp_path / "checkpoint.pt")["step"]))
        torch.rand(3)  # must not change what comes after
        return {"mAP": 1.5, "MOTA": -2.0}

    model, _ = train(mask_rcnn_task(replace(tiny, epoch=3)), clips, tmp_path, workers=0, validate=validate)
    assert seen == [(False, 3), (False, 4)] and model.training
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"step": 3, "mAP": 1.5, "MOTA": -2.0}, {"step": 4, "mAP": 1.5, "MOTA": -2.0}]


def test_a_gradient_that_is_not_finite_is_an_error(tiny: MaskRcnnConfig, clips: Dataset, tmp_path: Path) -> None:
    config = replace(tiny, learning_rate=1e25, optimizer="adamw")  # the first step is too far

    with pytest.raises(FloatingPointError, match=r"the gradient of step 1 is not finite; losses are \["):
        train(mask_rcnn_task(config), clips, tmp_path, workers=0)
    state = read_checkpoint(tmp_path / "checkpoint.pt")
    assert state["step"] == 1 and all(torch.isfinite(value).all() for value in state["model"].values())


def test_an_error_of_the_data_leaves_a_checkpoint(tiny: MaskRcnnConfig, clips: Dataset, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)  # of a job in the background it is ignored

    def lose() -> None:
        raise FileNotFoundError("a.jpg")

    with pytest.raises(FileNotFoundError, match=r"a\.jpg"):
        train(mask_rcnn_task(tiny), Counted(clips, 4, lose), tmp_path, workers=0)
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_acts_at_once_but_not_one_that_is_passed_on() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        assert not interruption.asked
        interrupt()
        interrupt()  # as torchrun does when the terminal has told all processes already
        assert interruption.asked
        interruption.since -= 3
        with pytest.raises(KeyboardInterrupt, match="the last checkpoint stays as it is"):
            interrupt()
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_waits_for_the_step_and_raises_its_own_error() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGTERM)
        assert interruption.asked
        error = interruption.error("what is left")
        assert type(error) is Terminated and str(error) == "what is left"
    assert signal.getsignal(signal.SIGTERM) is before


def test_workers_leave_a_sigterm_to_the_trainer(tiny: MaskRcnnConfig, clips: Dataset, tmp_path: Path) -> None:
    parent = os.getpid()

    def terminate() -> None:  # runs in a worker; all processes of a run get the signal
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(parent, signal.SIGTERM)

    with pytest.raises(Terminated, match="a checkpoint after"):
        train(mask_rcnn_task(replace(tiny, steps=100)), Counted(clips, 4, terminate), tmp_path, workers=1)
    assert 0 < read_checkpoint(tmp_path / "checkpoint.pt")["step"] < 100


def test_learning_rates() -> None:
    config = MaskRcnnConfig(learning_rate=1.0, warm_up=10, drops=(20, 30))
    rates = [learning_rate(config, number) for number in (0, 5, 10, 19, 20, 29, 30)]
    assert rates == pytest.approx([0.1, 0.55, 1, 1, 0.1, 0.1, 0.01])
    assert learning_rate(replace(config, warm_up=0), 0) == 1


def test_learning_rates_along_a_cosine() -> None:
    config = RunConfig(learning_rate=1.0, warm_up=10, drops=(), schedule="cosine", steps=100)
    rates = [learning_rate(config, number) for number in (0, 10, 50, 75, 100)]
    assert rates == pytest.approx([0.1, (1 + math.cos(0.1 * math.pi)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0])
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), 3e-3)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 7)
    config = RunConfig(learning_rate=3e-3, warm_up=0, drops=(), schedule="cosine", steps=7)
    for number in range(7):
        assert learning_rate(config, number) == pytest.approx(peer.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        peer.step()


def test_learning_rates_along_a_line() -> None:
    config = RunConfig(learning_rate=1.0, warm_up=10, drops=(), schedule="linear", steps=110)
    rates = [learning_rate(config, number) for number in (0, 5, 10, 60, 109, 110)]
    assert rates == pytest.approx([0.1, 0.55, 1, 0.5, 0.01, 0])
    with pytest.raises(ValueError, match=r"drops must be empty for schedule 'linear', got \(3,\)"):
        RunConfig(schedule="linear", drops=(3,))


def test_a_run_without_a_folder_leaves_nothing(
    tiny: MaskRcnnConfig,
    clips: Dataset,
    whole: tuple[MaskRcnn3d, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    model, done = train(mask_rcnn_task(tiny), clips, None, workers=0)
    assert done == 4 and same_weights(model, whole[0])
    with pytest.raises(KeyboardInterrupt, match="nothing is kept of 2 of 4 steps"):
        train(mask_rcnn_task(tiny), Counted(clips, 2, interrupt), None, workers=0)
    assert list(tmp_path.iterdir()) == [] and "training" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_only_weights_of_layers_decay(tiny: MaskRcnnConfig, kind: str) -> None:
    model = MaskRcnn3d(tiny.architecture)
    optimizer = make_optimizer(replace(tiny, optimizer=kind, weight_decay=0.5), model)
    decayed = {id(p) for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}
    every = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert every == {id(p) for p in model.parameters()}
    assert decayed == {id(p) for p in model.parameters() if p.ndim > 1}
    assert type(optimizer).__name__.lower() == kind


def test_the_log_forgets_steps_that_come_again(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 20, "box": 1.0}\n{"step": 40, "box": 2.0}\n{"step": 4')
    Log(tmp_path, 30).figures(40, {"box": 3.0})
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"step": 20, "box": 1.0}, {"step": 40, "box": 3.0}]


def test_losses_are_logged_by_name_every_twenty_steps(tmp_path: Path) -> None:
    log, optimizer = Log(tmp_path, names=("box", "class")), torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.25)
    with tqdm(disable=True) as bar:
        for done in range(1, 31):
            log.losses(done, torch.tensor([2.0, 4.0]), optimizer, bar)
    row = json.loads((tmp_path / "log.jsonl").read_text())
    assert row == {"step": 20, "box": pytest.approx(2.0), "class": pytest.approx(4.0), "learning_rate": 0.25}


def test_tensorboard_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            written.append(("opened", folder))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def close(self) -> None:
            written.append(("closed",))

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = Log(tmp_path)
    log.figures(7, {"mAP": 1.0, "MOTA": 2.0})
    log.close()
    assert written == [("opened", str(tmp_path)), ("mAP", 1.0, 7), ("MOTA", 2.0, 7), ("closed",)]


def test_without_tensorboard_there_is_the_log_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    log = Log(tmp_path)
    log.figures(7, {"mAP": 1.0})
    log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]
