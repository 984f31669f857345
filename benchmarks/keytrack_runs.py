"""Pose entailment networks of KeyTrack's studies: each trained once, into a folder that the next study finds it in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from people_in_pictures import DATA, needed

from ptfast.models import PoseEntailment, load_pose_entailment, save_pose_entailment
from ptfast.training.entailment import EntailmentConfig
from ptfast.training.entailment.config import read_config
from ptfast.training.entailment.recipe import RECIPE, entailment_task, joints_of
from ptfast.training.loop import train
from ptfast.training.recipe import Source

SOMOF = "somof/train"


@dataclass(frozen=True)
class Run:
    """A training.

    Attributes:
        config: Name of a config of `ptfast train keytrack`.
        data: "synthetic", or a folder of the data that PTFAST_DATA holds.
        architecture: Fields that differ from the config's.
        steps: Number of steps, with which the learning rate's course is stretched; None for the config's.
    """

    config: str
    data: str
    architecture: dict[str, Any] = field(default_factory=dict)
    steps: int | None = None


RUNS = {
    "paper-synthetic": Run("keytrack_paper", "synthetic"),
    "paper-somof": Run("keytrack_paper", SOMOF),
    "best-synthetic": Run("keytrack_best", "synthetic"),
    "best-somof": Run("keytrack_best", SOMOF),
}


def config_of(run: Run) -> EntailmentConfig:
    """Its settings."""
    usual = read_config(run.config)
    steps = run.steps or usual.steps
    warm_up = round(usual.warm_up * steps / usual.steps)
    changed = replace(usual.architecture, **run.architecture)
    return replace(usual, steps=steps, warm_up=warm_up, architecture=changed)


def trained(run: Run, out: Path) -> PoseEntailment:
    """The network of a run: its weights in `out`, or else trained, from the checkpoint there if there is one.

    Raises:
        SystemExit: Its data are not there.
    """
    weights = out / "weights.safetensors"
    if weights.exists():
        return load_pose_entailment(weights)[0]
    data = run.data if run.data == "synthetic" else str(needed(DATA / run.data))
    config, source = config_of(run), Source(data)
    task = entailment_task(config, joints_of(source))
    network = train(task, RECIPE.data(config, source), out, workers=0)[0].eval()
    save_pose_entailment(network, weights, {"data": run.data, "config": config.to_dict()})
    return network
