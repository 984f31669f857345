"""ptfast link --cost keytrack: KeyTrack's own linking, and the network's scores as a cost of link."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ptfast import pipeline
from ptfast.cli import main
from ptfast.io import read_poses, read_sequences, write_poses
from ptfast.ops import iou_matrix
from ptfast.structures import Poses
from ptfast.synthetic import detections, scene
from ptfast.tracking import EntailmentLinker, link

FILTERS = {"min_score": 0.4, "min_joint_score": 0.45}


class Overlap:
    """Scores pairs by the root of the IoU of their boxes."""

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        return np.sqrt(iou_matrix(earlier.boxes, current.boxes)[tuple(pairs.T)])


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The networks that were loaded, each with its device."""
    names: list[tuple[str, str]] = []

    def load(weights: str, device: str) -> Overlap:
        names.append((weights, device))
        return Overlap()

    monkeypatch.setattr(pipeline, "load_match_scorer", load)
    return names


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """A file of detections."""
    path = tmp_path / "found.csv"
    write_poses(detections(scene(seed=3, frames=20, people=6)), path)
    return path


def run(found: Path, out: Path, *options: str) -> np.ndarray:
    main(["link", str(found), str(out), "--cost", "keytrack", *options])
    return read_poses(out).track_ids


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ((), {}),
        (("--motion", "none"), {}),
        (("--matcher", "hungarian", "--lookback", "2"), {"matcher": "hungarian", "lookback": 2}),
        (("--max-cost", "0.3"), {"min_match_score": 0.7}),
        (("--max-cost", "none"), {"min_match_score": 0.0}),
        (("--max-tracks", "2"), {"max_tracks": 2}),
    ],
)
def test_it_links_as_keytrack_does(
    found: Path, tmp_path: Path, options: tuple[str, ...], settings: dict[str, object]
) -> None:
    ids = run(found, tmp_path / "tracks.csv", *options)
    expected = EntailmentLinker(Overlap(), **FILTERS, **settings).link(read_poses(found))  # type: ignore[arg-type]
    assert ids.tolist() == expected.track_ids.tolist() and len(set(ids.tolist())) > 1


def test_with_motion_it_is_a_cost_of_link(found: Path, tmp_path: Path) -> None:
    ids = run(found, tmp_path / "tracks.csv", "--motion", "velocity")
    expected = link(read_poses(found), cost=Overlap(), max_cost=0.5, **FILTERS)  # type: ignore[arg-type]
    assert ids.tolist() == expected.track_ids.tolist()
    ids = run(found, tmp_path / "tracks.csv", "--motion", "velocity", "--max-cost", "0.2", "--matcher", "greedy")
    expected = link(read_poses(found), cost=Overlap(), max_cost=0.2, matcher="greedy", **FILTERS)  # type: ignore[arg-type]
    assert ids.tolist() == expected.track_ids.tolist()


def test_it_says_how_many_pairs_the_network_saw(
    found: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[tuple[str, str]]
) -> None:
    run(found, tmp_path / "tracks.csv", "--weights", "mine.safetensors")
    linker = EntailmentLinker(Overlap(), **FILTERS)  # type: ignore[arg-type]
    linker.link(read_poses(found))
    seen = f"in which the network saw {linker.counts.scored:,} of {linker.counts.pairs:,} pairs; written to"
    assert seen in capsys.readouterr().out and asked == [("mine.safetensors", "cpu")]


def test_sequences_of_a_folder_are_linked_one_by_one(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for seed in (1, 2):
        write_poses(detections(scene(seed=seed, frames=8, people=3)), folder / f"{seed}.json")
    main(["link", str(folder), str(out), "--cost", "keytrack"])
    linked = read_sequences(out)
    assert [poses.track_ids.min() for poses in linked.values()] == [0, 0] and asked == [("keytrack", "cpu")]


@pytest.mark.parametrize("option", [("--weights", "x"), ("--device", "cpu")])
def test_options_of_the_network_are_refused_elsewhere(
    found: Path, tmp_path: Path, option: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["link", str(found), str(tmp_path / "tracks.csv"), *option])
    assert f"{option[0]} is for --cost keytrack, not for oks" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["1.5", "-1", "nan"])
def test_max_cost_out_of_range_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    write_poses(scene(0, frames=3, people=2), tmp_path / "poses.json")
    with pytest.raises(SystemExit):
        main(["link", str(tmp_path / "poses.json"), str(tmp_path / "o.json"), "--cost=keytrack", f"--max-cost={value}"])
    message = f"--max-cost must be between 0 and 1, or none, with --cost keytrack, got {float(value)}"
    assert message in capsys.readouterr().err
