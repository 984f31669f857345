"""Configs of FlowNet2-S in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfast.models import FlowNetArchitecture
from ptfast.training.config_files import make_config
from ptfast.training.flow.augmentation import FlowAugmentation
from ptfast.training.flow.config import CONFIGS, FlowConfig, read_config


def test_which_come_along() -> None:
    assert [path.stem for path in CONFIGS.glob("*.toml")] == ["synthetic_flow"]
    config = read_config("synthetic_flow")
    assert make_config(FlowConfig, config.to_dict(), "again") == config == FlowConfig()
    assert config.epoch <= config.steps and max(config.drops) < config.steps


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("crop = [64, 128]\n[architecture]\nwidth = 0.5\n[augmentation]\nnoise = 0\n")
    config = read_config(path)
    assert config.crop == (64, 128) and config.architecture == FlowNetArchitecture(width=0.5)
    assert config.augmentation == FlowAugmentation(noise=0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("joints = 3", r"run\.toml: expected entries out of frames, .*; found 'joints'"),
        ("frames = 3", r"run\.toml: frames must be 2, those of a pair, got 3"),
        ("crop = [192, 100]", r"run\.toml: crop must be multiples of 64 for this network, got \(192, 100\)"),
        ("crop = [0, 64]", r"run\.toml: crop must be multiples of 64 for this network, got \(0, 64\)"),
        ("size = 128", r"run\.toml: size must be at least 192, got 128"),
        ("fps = [30, 8]", r"run\.toml: fps must be two finite, rising numbers of at least 1, got \(30\.0, 8\.0\)"),
        ("people = 0.5", r"run\.toml: people must be at least 1, got 0\.5"),
        ("fps = [8.0, inf]", r"run\.toml: fps must be two finite, rising numbers of at least 1, got \(8\.0, inf\)"),
        ("people = inf", r"run\.toml: people must be finite, got inf"),
        ("people = nan", r"run\.toml: people must be at least 1, got nan"),
        ("learning_rate = inf", r"run\.toml: learning_rate must be finite, got inf"),
        ("weight_decay = inf", r"run\.toml: weight_decay must be finite, got inf"),
        ("[augmentation]\nshift = inf", r"run\.toml: augmentation: shift must be finite, got inf"),
        ("[augmentation]\nnoise = inf", r"run\.toml: augmentation: noise must be finite, got inf"),
        ("fps = [8]", r"run\.toml: fps: expected 2 entries, found \[8\]"),
        ("validation_videos = -1", r"run\.toml: validation_videos must be at least 0, got -1"),
        ("[augmentation]\ncolour = 2", r"run\.toml: augmentation: colour must be between 0 and 0\.9, got 2\.0"),
        ("[augmentation]\nshift = -1", r"run\.toml: augmentation: shift must be at least 0, got -1\.0"),
        ("[architecture]\ndepth = 1", r"run\.toml: architecture: expected entries out of width; found 'depth'"),
    ],
)
def test_errors_name_file_and_entry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(path)
