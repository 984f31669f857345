"""Configs of pose networks in TOML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ptfast.models import Hrnet, PoseResnet, PoseResnetArchitecture
from ptfast.training.config_files import make_config
from ptfast.training.data.regions import Augmentation
from ptfast.training.optimisation import learning_rate
from ptfast.training.pose import pose_network
from ptfast.training.pose.config import CONFIGS, HrnetConfig, PoseResnetConfig, read_config

NAMES = sorted(path.stem for path in CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_those_that_come_along_are_read_and_can_be_built(name: str) -> None:
    config = read_config(name)
    with torch.device("meta"):
        model = pose_network(config)
    assert isinstance(model, PoseResnet if config.network == "pose-resnet" else Hrnet)
    assert (config.frames > 1) == (config.initialise != "none")
    assert config.epoch <= config.steps and max(config.drops) < config.steps
    assert make_config(type(config), config.to_dict(), "again") == config


def test_which_come_along() -> None:
    assert NAMES == [
        "paper_3d_hrnet_w48", "paper_hrnet_w32", "paper_hrnet_w48", "simple_baselines_r50",
        "simple_baselines_r50_posetrack", "simple_baselines_synthetic", "synthetic_pose_2d", "synthetic_pose_2d_fine",
        "synthetic_pose_3d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("flat", "deep"), [("synthetic_pose_2d_fine", "synthetic_pose_3d"), ("paper_hrnet_w48", "paper_3d_hrnet_w48")]
)
def test_3d_networks_are_made_of_2d_ones(flat: str, deep: str) -> None:
    two, three = read_config(flat), read_config(deep)
    differing = [
        name for name in vars(two.architecture) if vars(two.architecture)[name] != vars(three.architecture)[name]
    ]
    assert differing == ["temporal_stages"] and (two.size, two.sigma) == (three.size, three.sigma)


@pytest.mark.parametrize(
    ("name", "epochs", "rates"),
    [
        ("simple_baselines_r50", 140, {0: 1e-3, 89.99: 1e-3, 90: 1e-4, 119.99: 1e-4, 120: 1e-5, 139.99: 1e-5}),
        ("simple_baselines_r50_posetrack", 20, {0: 1e-4, 9.99: 1e-4, 10: 1e-5, 14.99: 1e-5, 15: 1e-6, 19.99: 1e-6}),
    ],
)
def test_simple_baselines_schedule_is_the_papers(name: str, epochs: int, rates: dict[float, float]) -> None:
    """Sections 4.1 and 4.2 of the paper."""
    config = read_config(name)
    assert config.steps == epochs * config.epoch
    for epoch, rate in rates.items():
        assert learning_rate(config, int(epoch * config.epoch)) == pytest.approx(rate)
    assert config.optimizer == "adam" and config.batch * config.people == 128 and config.size == (256, 192)
    assert config.augmentation == Augmentation(jitter=0.0, scaling=0.3, rotation=40.0)
    assert pose_network(config).architecture == PoseResnetArchitecture(depth=50, width=1.0, joints=17)


def test_weights_of_the_narrow_pose_resnet_fit_in_five_megabytes() -> None:
    values = pose_network(read_config("simple_baselines_synthetic")).state_dict().values()
    assert 2 * sum(value.numel() for value in values) < 5e6  # as half-precision numbers


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, "size = [64, 48]\n[architecture]\nwidth = 8\n[augmentation]\nrotation = 3\n"))
    assert isinstance(config, HrnetConfig) and config.size == (64, 48) and config.optimizer == "adam"
    assert config.architecture.width == 8 and config.augmentation.rotation == 3.0
    other = read_config(write(tmp_path, 'network = "pose-resnet"\n[architecture]\ndepth = 101\nkernel = 3\n'))
    assert isinstance(other, PoseResnetConfig)
    assert other.architecture == PoseResnetArchitecture(depth=101, deconvolutions=3, kernel=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("short_sides = [3]", r"run\.toml: expected entries out of frames, .*; found 'short_sides'"),
        ('network = "vit"', r"run\.toml: network: expected one of 'hrnet', 'pose-resnet', found 'vit'"),
        ("[architecture]\ndepth = 50", r"run\.toml: architecture: expected entries out of width, .*; found 'depth'"),
        ("[augmentation]\nscaling = 2", r"run\.toml: augmentation: scaling must be between 0 and 0\.9, got 2\.0"),
        ('outside = "full"', r"run\.toml: outside: expected one of 'empty', 'ignored', found 'full'"),
        ("size = [3]", r"run\.toml: size: expected 2 entries, found \[3\]"),
        ("people = 0", r"run\.toml: people must be at least 1, got 0"),
        ("sigma = 0", r"run\.toml: sigma must be positive, got 0\.0"),
        ("frames = 2", r"run\.toml: frames must be odd, got 2"),
        ("learning_rate = inf", r"run\.toml: learning_rate must be finite, got inf"),
        ("validation_videos = -1", r"run\.toml: validation_videos must be at least 0, got -1"),
    ],
)
def test_errors_name_file_and_entry(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_config(write(tmp_path, text))


def test_an_unknown_name() -> None:
    with pytest.raises(
        FileNotFoundError, match="synthetic_3d: expected a TOML file or one of paper_3d_hrnet_w48, paper"
    ):
        read_config("synthetic_3d")


def test_a_size_that_the_network_cannot_take(tiny_pose: HrnetConfig) -> None:
    with pytest.raises(ValueError, match=r"size must be multiples of 8 for this network, got \(32, 20\)"):
        pose_network(replace(tiny_pose, size=(32, 20)))
