"""ptfast eval says what its figures rest on, and ends with exit code 2 where they would mean nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ptfast import synthetic, write_poses
from ptfast.cli import main
from ptfast.structures import Poses


@pytest.fixture(scope="module")
def scene() -> Poses:
    return synthetic.scene(0, frames=8, people=2)


def written(path: Path, poses: Poses) -> str:
    write_poses(poses, path)
    return str(path)


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the command prints for bad input."""
    with pytest.raises(SystemExit) as end:
        main(["eval", *arguments])
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    return line


def test_predictions_without_ids_have_a_dash_for_mota_and_a_note(
    scene: Poses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    untracked = scene.with_track_ids(np.full(len(scene.track_ids), -1))
    sides = written(tmp_path / "truth.json", scene), written(tmp_path / "found.json", untracked)
    main(["eval", *sides, "--json", str(tmp_path / "scores.json")])
    printed = capsys.readouterr()
    assert "ptfast eval: note: predictions have no track ids: there are no figures of MOT" in printed.err.splitlines()
    assert "nan" not in printed.out and "-100" not in printed.out
    assert [line.split() for line in printed.out.splitlines() if line.startswith("total")][1] == ["total", *"-" * 11]
    assert json.loads((tmp_path / "scores.json").read_text())["mota"]["total"] is None


def test_a_ground_truth_without_annotated_joints_is_one_line(
    scene: Poses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = scene.select(np.zeros(len(scene.track_ids), bool))
    truth, found = written(tmp_path / "truth.json", nobody), written(tmp_path / "found.json", scene)
    assert failure([truth, found], capsys) == (
        f"ptfast eval: {truth}: expected annotated joints to score against, found none"
    )


def test_an_annotated_joint_that_is_never_predicted_is_named(
    scene: Poses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    visibility = scene.joint_visibility.copy()
    visibility[:, scene.skeleton.index("right_wrist")] = 0
    headless = replace(scene, joint_visibility=visibility)
    main(["eval", written(tmp_path / "truth.json", scene), written(tmp_path / "found.json", headless)])
    assert "annotated but never predicted, so that none is found: right_wrist" in capsys.readouterr().err
