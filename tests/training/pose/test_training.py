"""The training loop with a network that has batch normalisation."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from ptfast.models import Hrnet, MaskRcnn3d, PoseResnet, inflate
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.data.clips import Clip
from ptfast.training.data.person_tubes import PersonClips, PersonTubes
from ptfast.training.loop import train
from ptfast.training.mask_rcnn import MaskRcnnConfig, mask_rcnn_task
from ptfast.training.optimisation import learning_rate
from ptfast.training.pose import HrnetConfig, pose_network, pose_task, read_config


class Counted(Dataset):
    """Tubes, and Ctrl-C with those of a number."""

    def __init__(self, tubes: Dataset, number: int) -> None:
        self.tubes, self.number = tubes, number

    def __getitem__(self, index: int) -> PersonTubes:
        if index == self.number:
            os.kill(os.getpid(), signal.SIGINT)
        return self.tubes[index]


class MiddleFrames(Dataset):
    """Clips of the middle frames of clips alone."""

    def __init__(self, clips: Dataset) -> None:
        self.clips = clips

    def __getitem__(self, index: int) -> Clip:
        clip: Clip = self.clips[index]
        middle = slice(len(clip.frames) // 2, len(clip.frames) // 2 + 1)
        columns = {name: getattr(clip, name)[:, middle] for name in ("tubes", "present", "keypoints", "labelled")}
        return replace(clip, frames=clip.frames[middle], **columns)


def same_weights(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.fixture(scope="module")
def whole(
    tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, Path]:
    """Four steps in one go, and where they left what."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("whole")
    return train(pose_task(tiny_pose), tubes, out, workers=0)[0], out


@pytest.mark.parametrize("workers", [0, 1])
def test_going_on_is_exact_to_the_bit_with_running_statistics(
    tiny_pose: HrnetConfig, tubes: PersonClips, whole: tuple[nn.Module, Path], tmp_path: Path, workers: int
) -> None:
    task = pose_task(tiny_pose)
    if workers:
        train(task, tubes, tmp_path, workers=workers, minutes=0)  # one step
    else:
        with pytest.raises(KeyboardInterrupt, match="a checkpoint after 2 of 4 steps"):
            train(task, Counted(tubes, 2), tmp_path, workers=0)  # in the second step
    assert 0 < read_checkpoint(tmp_path / "checkpoint.pt")["step"] < 4
    torch.manual_seed(99)  # must not matter
    model, done = train(task, tubes, tmp_path, workers=workers)
    assert done == 4 and same_weights(model.state_dict(), whole[0].state_dict())
    assert same_weights(read_checkpoint(tmp_path / "checkpoint.pt")["model"], whole[0].state_dict())
    statistics = {name: value for name, value in model.state_dict().items() if "running" in name or "batches" in name}
    fresh = pose_network(tiny_pose).state_dict()
    assert statistics and not any(torch.equal(value, fresh[name]) for name, value in statistics.items())


def test_a_step_that_fails_leaves_running_statistics_as_they_were(
    tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path: Path
) -> None:
    class Broken(Dataset):
        def __getitem__(self, index: int) -> PersonTubes:
            found = tubes[index]
            return replace(found, keypoints=found.keypoints * float("nan")) if index >= 2 else found

    with pytest.raises(FloatingPointError, match="the gradient of step 1 is not finite"):
        train(pose_task(tiny_pose), Broken(), tmp_path, workers=0)
    state = read_checkpoint(tmp_path / "checkpoint.pt")
    wanted, _ = train(pose_task(replace(tiny_pose, steps=1)), tubes, tmp_path / "one", workers=0)
    assert state["step"] == 1 and same_weights(state["model"], wanted.state_dict())


def test_2d_weights_inflated_are_where_a_3d_network_starts(
    tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path: Path
) -> None:
    flat = replace(tiny_pose, frames=1, architecture=replace(tiny_pose.architecture, temporal_stages="none"))
    torch.manual_seed(7)
    weights = pose_network(flat).state_dict()
    start = inflate(weights, "mean", pose_network(tiny_pose))
    once = replace(tiny_pose, steps=1)
    model, _ = train(pose_task(once), tubes, tmp_path, workers=0, start=start)
    kernel = model.get_parameter("layer1.0.conv1.weight")
    assert kernel.shape[2] == 3
    moved = (kernel - weights["layer1.0.conv1.weight"] / 3).abs().max()
    assert 0 < moved < 2 * learning_rate(once, 0)  # one step of Adam from there


def test_a_pose_network_learns(tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path: Path) -> None:
    config = replace(tiny_pose, steps=30, learning_rate=1e-2, warm_up=0, drops=())
    task, examples = pose_task(config), [tubes[0], tubes[1]]

    class Few(Dataset):
        def __getitem__(self, index: int) -> PersonTubes:
            return examples[index % 2]

    torch.manual_seed(config.seed)
    models = pose_network(config), train(task, Few(), tmp_path, workers=0)[0]
    with torch.no_grad():
        before, after = (task.losses(model)(*task.arguments(model, examples, torch.device("cpu"))) for model in models)
    assert after < 0.8 * before


def test_a_step_of_the_narrow_pose_resnet(clips: Dataset, tmp_path: Path) -> None:
    config = replace(
        read_config("simple_baselines_synthetic"), batch=1, people=2, steps=1, warm_up=0, drops=(), size=(64, 32),
        mixed_precision=False, short_side=64,
    )  # fmt: skip
    middle = PersonClips(MiddleFrames(clips), config.size, people=2, augmentation=config.augmentation, complete=True)
    torch.manual_seed(config.seed)
    before = pose_network(config).state_dict()
    model, done = train(pose_task(config), middle, tmp_path, workers=0)
    moved = (model.get_parameter("final_layer.weight") - before["final_layer.weight"]).abs().max()
    assert done == 1 and isinstance(model, PoseResnet)
    assert 0 < moved < 1.1 * config.learning_rate  # one step of AdamW from there


def test_checkpoints_of_another_kind_of_network_are_an_error(
    tiny: MaskRcnnConfig, tiny_pose: HrnetConfig, clips: Dataset, whole: tuple[Hrnet, Path]
) -> None:
    with pytest.raises(ValueError, match=r"checkpoint\.pt: config: expected entries out of frames, .*; found 'people'"):
        train(mask_rcnn_task(tiny), clips, whole[1], workers=0)


def test_a_network_with_running_statistics_validates_with_them(
    tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path: Path
) -> None:
    seen = []

    def validate(model: nn.Module) -> dict[str, float]:
        seen.append(model.training)
        return {"pck": 3.0}

    model, _ = train(pose_task(replace(tiny_pose, steps=1)), tubes, tmp_path, workers=0, validate=validate)  # type: ignore[arg-type]
    assert seen == [False] and model.training and not isinstance(model, MaskRcnn3d)
    assert (tmp_path / "log.jsonl").read_text() == '{"step": 1, "pck": 3.0}\n'
