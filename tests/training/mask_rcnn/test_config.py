"""Training configs in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ptfast.models import MaskRcnn3d
from ptfast.training.config_files import make_config
from ptfast.training.mask_rcnn.config import CONFIGS, MaskRcnnConfig, read_config

NAMES = sorted(path.stem for path in CONFIGS.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_those_that_come_along_are_read_and_can_be_built(name: str) -> None:
    config = read_config(name)
    with torch.device("meta"):
        MaskRcnn3d(config.architecture)
    assert config.architecture.temporal_kernel == config.frames
    assert make_config(MaskRcnnConfig, config.to_dict(), "again") == config


def test_which_come_along() -> None:
    assert NAMES == ["paper_2d_r101_fpn", "paper_3d_r18", "synthetic_2d", "synthetic_3d"]


def test_the_synthetic_models_have_the_same_widths() -> None:
    flat, deep = read_config("synthetic_2d").architecture, read_config("synthetic_3d").architecture
    entries = [name for name in vars(flat) if getattr(flat, name) != getattr(deep, name)]
    assert entries == ["temporal_kernel", "temporal_stages"]


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    text = "learning_rate = 1\ndrops = []\n[architecture]\npyramid_channels = 32\n[proposals]\nmax_detections = 7\n"
    config = read_config(write(tmp_path, text))
    assert config.learning_rate == 1.0 and isinstance(config.learning_rate, float) and config.drops == ()
    assert config.architecture.pyramid_channels == 32 and config.architecture.depth == 18
    assert config.proposals.max_detections == 7 and config.proposals.proposals_before == 2000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step = 3", r"run\.toml: expected entries out of frames, .*; found 'step'"),
        ("steps = 3.5", r"run\.toml: steps: expected int, found 3\.5"),
        ("steps = true", r"run\.toml: steps: expected int, found True"),
        ("mixed_precision = 1", r"run\.toml: mixed_precision: expected bool, found 1"),
        ("drops = 3", r"run\.toml: drops: expected a list, found 3"),
        ('drops = [3, "x"]', r"run\.toml: drops: expected int, found 'x'"),
        ('optimizer = "lamb"', r"run\.toml: optimizer: expected one of 'sgd', 'adam', 'adamw', found 'lamb'"),
        ('initialise = "centre"', r"run\.toml: initialise: expected one of 'none', 'center', 'mean', found 'centre'"),
        ("architecture = 3", r"run\.toml: architecture: expected a table, found 3"),
        ("[architecture]\nwidht = 1.0", r"run\.toml: architecture: expected entries out of .*; found 'widht'"),
        (
            '[architecture]\npyramid_channels = "x"',
            r"run\.toml: architecture: pyramid_channels: expected int, found 'x'",
        ),
        ("[architecture]\nimage_mean = [0.5]", r"run\.toml: architecture: image_mean: expected 3 entries"),
        ("[sampling]\nanchors = 1.5", r"run\.toml: sampling: anchors: expected int, found 1\.5"),
        ("frames = 2", r"run\.toml: frames must be odd, got 2"),
        ("batch = 0", r"run\.toml: batch must be at least 1, got 0"),
        ("learning_rate = inf", r"run\.toml: learning_rate must be finite, got inf"),
        ("learning_rate = -1", r"run\.toml: learning_rate must be at least 0, got -1\.0"),
        ("short_sides = []", r"run\.toml: short_sides must be at least one positive number, got \(\)"),
        ("clip_norm = 0", r"run\.toml: clip_norm must be positive, got 0\.0"),
        ("frames = ", r"run\.toml: expected TOML, found "),
        (f"frames = {'[' * 5000}{']' * 5000}", r"run\.toml: expected TOML, found "),
        (f"optimizer = '{'a' * 5000}'", r"run\.toml: optimizer: expected .*, found 'a{296}\.\.\.$"),
    ],
)
def test_errors_name_file_and_entry(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_config(write(tmp_path, text))


def test_an_unknown_name() -> None:
    with pytest.raises(FileNotFoundError, match="nothing: expected a TOML file or one of paper_2d_r101_fpn, paper"):
        read_config("nothing")
