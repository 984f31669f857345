"""Configs of pose entailment in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfast.models import PoseEntailmentArchitecture
from ptfast.training.config_files import make_config
from ptfast.training.entailment.config import CONFIGS, EntailmentConfig, read_config


def test_which_come_along() -> None:
    assert sorted(path.stem for path in CONFIGS.glob("*.toml")) == ["keytrack_best", "keytrack_paper"]
    for name in ("paper", "best"):
        config = read_config(f"keytrack_{name}")
        assert config.architecture == getattr(PoseEntailmentArchitecture, name)()
        assert make_config(EntailmentConfig, config.to_dict(), "again") == config
        assert config.warm_up == config.steps / 100


def test_the_papers_schedule() -> None:
    config = read_config("keytrack_paper")
    assert (config.optimizer, config.learning_rate, config.schedule) == ("adam", 1e-4, "linear")
    assert config.batch * config.pairs == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hidden = 3", r"run\.toml: expected entries out of frames, .*; found 'hidden'"),
        ("pairs = 1", r"run\.toml: pairs must be at least 2, got 1"),
        ("near = 2", r"run\.toml: near must be between 0 and 1, got 2.0"),
        ("scenes = 0", r"run\.toml: scenes must be at least 1, got 0"),
        ("drops = [3]", r"run\.toml: drops must be empty for schedule 'linear', got \(3,\)"),
        ("[augmentation]\nstrides = []", r"run\.toml: augmentation: strides must be at least 1, got 0"),
        ("[augmentation]\nstrides = [0, 2]", r"run\.toml: augmentation: strides must be at least 1, got 0"),
        ("[augmentation]\nlost = 1.5", r"run\.toml: augmentation: lost must be between 0 and 1, got 1.5"),
        ("[augmentation]\nscale = 0.5", r"run\.toml: augmentation: scale must be at least 1, got 0.5"),
        ('[architecture]\nposition = "cell"', r"run\.toml: architecture: position: expected one of 'grid', .*'cell'"),
    ],
)
def test_errors_name_file_and_entry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(path)
