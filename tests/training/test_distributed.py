"""Training by several processes, started by torchrun on the CPU.

Each process's losses are means over its own half of the batch: over its sampled anchors, its tubes, its labelled
joints. DDP averages the processes' gradients. So a step of two processes is a step of one that takes the mean of the
two halves' gradients; it is a step on the whole batch only as far as the halves have as many anchors, tubes and joints
each, and as they sample the same of them. That is what is compared here: one process takes the halves one after the
other, with the random numbers that either process has.

Batch normalisation takes the halves one by one, too; the running statistics are the first process's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from ptfast.models import FlowNetArchitecture, MaskRcnn3d, PoseEntailmentArchitecture
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.training.checkpoints import read_checkpoint
from ptfast.training.config import RunConfig
from ptfast.training.data.clips import Clip
from ptfast.training.data.person_tubes import PersonClips
from ptfast.training.entailment import EntailmentConfig, entailment_task
from ptfast.training.entailment.examples import PairExamples
from ptfast.training.entailment.table import PoseTable
from ptfast.training.flow import FlowConfig, flow_task
from ptfast.training.flow.pairs import FilmPairs
from ptfast.training.mask_rcnn import MaskRcnnConfig, mask_rcnn_task
from ptfast.training.matcher import MatcherConfig, matcher_task, synthetic_tracks
from ptfast.training.matcher.windows import Windows
from ptfast.training.optimisation import learning_rate, make_optimizer
from ptfast.training.pose import HrnetConfig, pose_task
from ptfast.training.task import Task

SCRIPT = """
import pickle, sys, torch
from pathlib import Path
from torch import distributed
from ptfast.skeletons import POSETRACK_15
from ptfast.training.entailment import EntailmentConfig, entailment_task
from ptfast.training.flow import FlowConfig, flow_task
from ptfast.training.loop import train
from ptfast.training.mask_rcnn import MaskRcnnConfig, mask_rcnn_task
from ptfast.training.matcher import MatcherConfig, matcher_task
from ptfast.training.pose import HrnetConfig, pose_task

config, clips, minutes = pickle.loads(Path(sys.argv[1]).read_bytes())
tasks = {
    MaskRcnnConfig: mask_rcnn_task,
    MatcherConfig: lambda config: matcher_task(config, POSETRACK_15),
    EntailmentConfig: lambda config: entailment_task(config, POSETRACK_15),
    HrnetConfig: pose_task,
    FlowConfig: flow_task,
}
task, out = tasks[type(config)](config), Path(sys.argv[2])

class Data(torch.utils.data.Dataset):
    def __getitem__(self, index):
        return clips[index % len(clips)]

model, done = train(task, Data(), out, workers=0, minutes=minutes)
torch.save({"done": done, "model": model.state_dict()}, out / f"rank{distributed.get_rank()}.pt")
distributed.destroy_process_group()
threads = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]  # none where there is no /proc
assert not [name for name in threads if "gloo" in name], threads
"""


class Listed(Dataset):
    """Clips of a list again and again."""

    def __init__(self, clips: list[Clip]) -> None:
        self.clips = clips

    def __getitem__(self, index: int) -> Clip:
        return self.clips[index % len(self.clips)]


@pytest.fixture(scope="module")
def half_empty(clips: Dataset) -> list[Clip]:
    """Two clips; in the second one, which is always the second process's, there is nobody."""
    second = clips[1]
    nobody = {name: getattr(second, name)[:0] for name in ("tubes", "present", "keypoints", "labelled")}
    return [clips[0], replace(second, **nobody)]


def run(folder: Path, config: RunConfig, clips: list, minutes: float | None = None) -> list[dict]:
    """What two processes leave; none may hang."""
    import pickle

    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(SCRIPT)
    (folder / "task.pickle").write_bytes(pickle.dumps((config, clips, minutes)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(folder / name) for name in ("script.py", "task.pickle", "")]
    done = subprocess.run(
        command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def by_one_process(task: Task, examples: list) -> nn.Module:
    """The same steps with the mean of the gradients of the two halves, and the first one's running statistics."""
    config = task.config
    torch.manual_seed(config.seed)
    model = task.network()
    optimizer, loss = make_optimizer(config, model), task.losses(model)
    for number in range(config.steps):
        optimizer.zero_grad()
        for rank in (1, 0):
            before = {name: value.clone() for name, value in model.named_buffers()}
            torch.manual_seed(config.seed + 1_000_003 * (number + 1) + 7919 * rank)
            (loss(*task.arguments(model, [examples[rank]], torch.device("cpu"))).sum() / 2).backward()
            if rank == 1:
                model.load_state_dict(before, strict=False)
        nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, number)
        optimizer.step()
    return model


def assert_close(found: dict, expected: dict) -> None:
    for name, value in expected.items():
        # Gradients of float32 are summed in another order; SGD passes that on in proportion.
        torch.testing.assert_close(
            found[name], value, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_two_processes_are_one_with_the_mean_gradient(
    tiny: MaskRcnnConfig, half_empty: list[Clip], tmp_path: Path
) -> None:
    # They also stop together after the first step, when their time is up, and both go on from the one checkpoint.
    config = replace(tiny, steps=2, optimizer="sgd", learning_rate=1e-2)
    assert [rank["done"] for rank in run(tmp_path, config, half_empty, minutes=0)] == [1, 1]
    assert read_checkpoint(tmp_path / "checkpoint.pt")["step"] == 1
    ranks = run(tmp_path, config, half_empty)
    assert [rank["done"] for rank in ranks] == [2, 2]
    for name, value in ranks[0]["model"].items():
        assert torch.equal(value, ranks[1]["model"][name]), name
    saved = read_checkpoint(tmp_path / "checkpoint.pt")
    assert saved["step"] == 2 and all(torch.equal(saved["model"][n], v) for n, v in ranks[0]["model"].items())
    expected = by_one_process(mask_rcnn_task(config), half_empty).state_dict()
    assert_close(ranks[0]["model"], expected)
    torch.manual_seed(config.seed)
    start = MaskRcnn3d(config.architecture).state_dict()
    moved = max(float((expected[name] - start[name]).abs().max()) for name in start)
    assert moved > 1e-3  # far more than the tolerance


def test_batch_normalisation_has_the_first_processs_statistics(
    tiny_pose: HrnetConfig, tubes: PersonClips, tmp_path: Path
) -> None:
    config, examples = replace(tiny_pose, steps=2, optimizer="sgd", learning_rate=1e-1), [tubes[0], tubes[1]]
    assert [rank["done"] for rank in run(tmp_path, config, examples, minutes=0)] == [1, 1]
    ranks = run(tmp_path, config, examples)  # both go on from the first one's
    expected = by_one_process(pose_task(config), examples)
    assert_close(ranks[0]["model"], expected.state_dict())
    saved = read_checkpoint(tmp_path / "checkpoint.pt")
    assert saved["step"] == 2 and all(torch.equal(saved["model"][n], v) for n, v in ranks[0]["model"].items())
    weights = [name for name, _ in expected.named_parameters()]
    assert all(torch.equal(ranks[0]["model"][name], ranks[1]["model"][name]) for name in weights)
    assert not torch.equal(*(rank["model"]["bn1.running_mean"] for rank in ranks))  # each has seen its own half last


def test_a_matcher_is_trained_by_two_processes_too(tmp_path: Path) -> None:
    config = MatcherConfig(batch=2, frames=8, steps=2, optimizer="sgd", learning_rate=1e-1, hidden=8)
    windows = Windows(synthetic_tracks(2, frames=12), config)
    examples = [windows[0], Windows([nobody(windows.videos[0][0])], config)[0]]
    assert [rank["done"] for rank in run(tmp_path, config, examples, minutes=0)] == [1, 1]
    ranks = run(tmp_path, config, examples)
    assert all(torch.equal(value, ranks[1]["model"][name]) for name, value in ranks[0]["model"].items())
    task = matcher_task(config, POSETRACK_15)
    expected = by_one_process(task, examples).state_dict()
    assert_close(ranks[0]["model"], expected)
    torch.manual_seed(config.seed)
    start = task.network().state_dict()
    assert max(float((expected[name] - start[name]).abs().max()) for name in start) > 1e-4  # more than the tolerance


def test_pose_entailment_is_trained_by_two_processes_too(tmp_path: Path) -> None:
    best = replace(PoseEntailmentArchitecture.best(), hidden=8, intermediate=8)
    config = EntailmentConfig(
        batch=2, pairs=8, steps=2, optimizer="sgd", learning_rate=1e-1, warm_up=0, mixed_precision=False,
        architecture=best,
    )  # fmt: skip
    examples = PairExamples(PoseTable.of(synthetic_tracks(2, frames=12)), config)
    halves = [examples[0], examples[1]]
    ranks = run(tmp_path, config, halves)
    assert all(torch.equal(value, ranks[1]["model"][name]) for name, value in ranks[0]["model"].items())
    task = entailment_task(config, POSETRACK_15)
    expected = by_one_process(task, halves).state_dict()
    assert_close(ranks[0]["model"], expected)
    torch.manual_seed(config.seed)
    start = task.network().state_dict()
    assert max(float((expected[name] - start[name]).abs().max()) for name in start) > 1e-3  # more than the tolerance


def test_a_flow_is_trained_by_two_processes_too(tmp_path: Path) -> None:
    config = FlowConfig(
        batch=2, steps=2, optimizer="sgd", learning_rate=1e-1, warm_up=0, drops=(), size=64, crop=(64, 64),
        architecture=FlowNetArchitecture(width=0.03125),
    )  # fmt: skip
    pairs = FilmPairs(config)
    examples = [pairs[0], replace(pairs[1], weight=np.zeros((64, 64), np.float32))]
    ranks = run(tmp_path, config, examples)
    assert all(torch.equal(value, ranks[1]["model"][name]) for name, value in ranks[0]["model"].items())
    task = flow_task(config)
    expected = by_one_process(task, examples).state_dict()
    assert_close(ranks[0]["model"], expected)
    torch.manual_seed(config.seed)
    start = task.network().state_dict()
    assert max(float((expected[name] - start[name]).abs().max()) for name in start) > 1e-3  # more than the tolerance


def nobody(poses: Poses) -> Poses:
    """A video whose windows have no pairs: one person, in its last frame alone."""
    ids = np.full(len(poses.scores), -1)
    ids[-1] = 0
    return poses.with_track_ids(ids)
