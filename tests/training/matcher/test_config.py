"""Configs of the matcher in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from ptfast.training.config_files import make_config
from ptfast.training.matcher.config import CONFIGS, MatcherConfig, read_config


def test_which_come_along() -> None:
    assert [path.stem for path in CONFIGS.glob("*.toml")] == ["synthetic_matcher"]
    config = read_config("synthetic_matcher")
    assert make_config(MatcherConfig, config.to_dict(), "again") == config == MatcherConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("videos = 3", r"run\.toml: expected entries out of frames, .*; found 'videos'"),
        ('initialise = "center"', r"run\.toml: expected entries out of frames, .*; found 'initialise'"),
        ("hidden = 0", r"run\.toml: hidden must be at least 1, got 0"),
        ("scenes = 0", r"run\.toml: scenes must be at least 1, got 0"),
        ("learning_rate = inf", r"run\.toml: learning_rate must be finite, got inf"),
        ("validation_videos = -1", r"run\.toml: validation_videos must be at least 0, got -1"),
        ("drops = [100]", r"run\.toml: drops must be empty for schedule 'cosine', got \(100,\)"),
        ('schedule = "square"', r"run\.toml: schedule: expected one of 'step', 'cosine', 'linear', found 'square'"),
        ("schedule = 3", r"run\.toml: schedule: expected one of 'step', 'cosine', 'linear', found 3"),
        ("steps = -1", r"run\.toml: steps must be at least 0, got -1"),
    ],
)
def test_errors_name_file_and_entry(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(path)
