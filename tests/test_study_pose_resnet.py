"""The study of Simple Baselines' pose network: its runs, its scores and its costs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import study_pose_resnet as study
import torch

from ptfast.models import PoseResnet, PoseResnetArchitecture, load_pose_network
from ptfast.synthetic import render
from ptfast.training.pose import PoseConfig, read_config


def test_a_target_has_the_same_width_in_people_in_all_rows() -> None:
    configs = {name: study.config_of(row, 700) for name, row in study.ROWS.items()}
    for name, config in configs.items():
        stride = 32 / 2**config.architecture.deconvolutions  # type: ignore[union-attr]
        assert config.sigma * stride / config.size[0] == 6 / 192, name
        assert (config.steps, config.warm_up, config.drops) == (700, 20, (450, 600))  # a tenth of the usual run
    usual = read_config("simple_baselines_synthetic")
    assert configs["baseline"].architecture == usual.architecture and configs["baseline"].sigma == usual.sigma
    assert configs["288x192"].sigma == 2.25  # 2 of 64 pixels in the paper
    assert configs["2-deconvolutions"].sigma == 0.75


@pytest.mark.parametrize(("depth", "weights", "adds"), [(50, 34.0, 4.09), (101, 53.0, 7.80), (152, 68.6, 11.51)])
def test_costs_are_the_published_ones(depth: int, weights: float, adds: float) -> None:
    """Weights are those of table 1 of Sun et al. 2019 (HRNet), multiply-adds torchvision's of a ResNet at 224x224."""
    with torch.device("meta"):
        model = PoseResnet(PoseResnetArchitecture(depth=depth)).eval()
    found = study.complexity(model, (256, 192))
    body = adds * (256 * 192) / (224 * 224)
    head = 16 * (8 * 6 * 2048 * 256 + (16 * 12 + 32 * 24) * 256 * 256) + 64 * 48 * 256 * 17
    assert found["weights, M"] == pytest.approx(weights, abs=0.06)
    assert found["multiply-adds, G"] == pytest.approx(body + head / 1e9, abs=0.01)


def test_scores_of_known_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 15 joints, one is found 0.6 head sizes away and one 0.4."""
    film = study.Shown(render(5, frames=9, people=3, size=(128, 128), pan=0), None)
    assert [len(film.images), len(film.truth)] == [3, 3] and film.left_out == 0
    sizes, frames = study.head_sizes(film.truth), study.frame_of_rows(film.truth.frame_offsets)

    def knows(images: Any, boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        np.testing.assert_array_equal(index[:, 0], frames)
        keypoints = film.truth.keypoints.copy()
        keypoints[:, 0, 0] += 0.6 * sizes
        keypoints[:, 1, 1] += 0.4 * sizes
        return keypoints[:, None], np.ones((len(boxes), 1, 15), np.float32)

    monkeypatch.setattr(study, "TubePoses", lambda model, size: knows)
    seen = film.truth.joint_visibility > 0
    found = study.scores(None, read_config("simple_baselines_synthetic"), [film])  # type: ignore[arg-type]
    assert found["PCKh"] == round(100 * (1 - seen[:, 0].sum() / seen.sum()), 2)
    assert 90 < found["mAP"] < 100


def test_the_command_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def tiny(row: study.Row, steps: int) -> PoseConfig:
        config = real(row, steps)
        architecture = replace(config.architecture, width=0.0625)  # type: ignore[type-var]
        return replace(config, batch=1, people=2, short_side=64, mixed_precision=False, architecture=architecture)

    real = study.config_of
    monkeypatch.setattr(study, "config_of", tiny)

    def run(steps: int) -> None:
        command = f"study --out {tmp_path} --steps {steps} --rows 96x64 2-deconvolutions --films 1 --frames 4"
        monkeypatch.setattr(sys, "argv", [*command.split(), "--workers", "0", "--threads", "1"])
        study.main()

    run(2)
    first = capsys.readouterr().out
    assert "| g | 60.6 | 50 | 96x64 | 3 | 4 | 2 |" in first and "| b | 67.9 | 50 | 192x128 | 2 | 4 | 2 |" in first
    places = [tmp_path / name / "checkpoint.pt" for name in ("96x64", "2-deconvolutions")]
    before = [place.stat().st_mtime_ns for place in places]
    model, card = load_pose_network(tmp_path / "2-deconvolutions" / "weights.safetensors")
    assert model.architecture.deconvolutions == 2 and card["size"] == [192, 128]  # type: ignore[union-attr]
    assert json.dumps(card["score"]["mAP"]) in first
    run(2)
    assert [place.stat().st_mtime_ns for place in places] == before and "table-2, not kept" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"checkpoint\.pt: steps: expected this run's 3, found 2"):
        run(3)
