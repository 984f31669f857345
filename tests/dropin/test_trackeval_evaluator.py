"""HOTA and Identity inside TrackEval's own Evaluator, on a small MOT data set on disk."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin.trackeval import HOTA, Identity

SEQUENCES = {"a": 12, "b": 20}


@pytest.fixture
def trackeval() -> ModuleType:
    return peer("trackeval")


def write_boxes(path: Path, frames: int, seed: int, *, is_truth: bool) -> None:
    """Four people who walk apart, of whom a tracker loses some, and mixes two up halfway."""
    random = np.random.default_rng(seed)
    lines = []
    for frame in range(1, frames + 1):
        for person in range(4):
            if not is_truth and random.random() < 0.2:
                continue
            x, y = 100 * person + 2 * frame + (0 if is_truth else random.normal(0, 4)), 50 + 3 * person
            name = person + 1 if is_truth or frame < frames // 2 else 4 - person
            rest = "1,1,1" if is_truth else "0.9,-1,-1,-1"
            lines.append(f"{frame},{name},{x:.2f},{y:.2f},40,80,{rest}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def dataset(tmp_path: Path, trackeval: ModuleType) -> Any:
    for seed, (name, frames) in enumerate(SEQUENCES.items()):
        folder = tmp_path / "gt" / name
        write_boxes(folder / "gt" / "gt.txt", frames, seed, is_truth=True)
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={frames}\n")
        for tracker in ("one", "two"):
            path = tmp_path / "trackers" / tracker / "data" / f"{name}.txt"
            write_boxes(path, frames, seed + len(tracker) + ord(tracker[0]), is_truth=False)
    return trackeval.datasets.MotChallenge2DBox({
        "GT_FOLDER": str(tmp_path / "gt"), "TRACKERS_FOLDER": str(tmp_path / "trackers"), "SKIP_SPLIT_FOL": True,
        "SEQ_INFO": SEQUENCES, "DO_PREPROC": False, "PRINT_CONFIG": False, "OUTPUT_FOLDER": str(tmp_path / "out"),
    })  # fmt: skip


def evaluated(trackeval: ModuleType, dataset: Any, metrics: list[Any], **options: Any) -> dict[str, Any]:
    """The Evaluator's results by tracker, with all that it prints, writes and plots."""
    evaluator = trackeval.Evaluator({"PRINT_CONFIG": False, "TIME_PROGRESS": False, "PLOT_CURVES": True, **options})
    results, messages = evaluator.evaluate([dataset], metrics)
    assert set(messages["MotChallenge2DBox"].values()) == {"Success"}
    return results["MotChallenge2DBox"]


def test_the_evaluators_results_and_files_equal_the_originals(
    trackeval: ModuleType, dataset: Any, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    peer("matplotlib").use("Agg")
    outcomes = []
    for library in (trackeval.metrics, None):
        kinds = (library.HOTA, library.Identity) if library else (HOTA, Identity)
        results = evaluated(trackeval, dataset, [kind() for kind in kinds])
        files = {path: path.read_text() for path in sorted((tmp_path / "out").rglob("*.txt"))}
        files |= {path: path.read_text() for path in sorted((tmp_path / "out").rglob("*.csv"))}
        outcomes.append((results, files, {path.name for path in (tmp_path / "out").rglob("*.pdf")}))
    (theirs, their_files, their_plots), (ours, our_files, our_plots) = outcomes
    assert our_plots == their_plots and our_plots
    assert our_files.keys() == their_files.keys() and our_files
    assert all(our_files[path] == text for path, text in their_files.items() if path.suffix == ".txt")
    for tracker, sequences in theirs.items():
        for sequence, classes in sequences.items():
            for metric, fields in classes["pedestrian"].items():
                for field, value in fields.items():
                    found = ours[tracker][sequence]["pedestrian"][metric][field]
                    np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-12, err_msg=f"{sequence} {field}")


@pytest.mark.parametrize("kind", [HOTA, Identity])
def test_means_over_classes_equal_the_originals(
    trackeval: ModuleType, kind: Any, capsys: pytest.CaptureFixture
) -> None:
    one = np.zeros(1, int)
    data = {
        "gt_ids": [one] * 4, "tracker_ids": [one] * 3 + [one + 1], "similarity_scores": [np.full((1, 1), 0.7)] * 4,
        "num_gt_ids": 1, "num_tracker_ids": 2, "num_gt_dets": 4, "num_tracker_dets": 4,
    }  # fmt: skip
    empty = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []} | dict.fromkeys(
        ("num_gt_ids", "num_tracker_ids", "num_gt_dets", "num_tracker_dets"), 0
    )
    ours, theirs = kind(), getattr(trackeval.metrics, kind.__name__)()
    parts = [{name: each.eval_sequence(part) for name, part in (("a", data), ("b", empty))} for each in (ours, theirs)]
    for method, arguments in (
        ("combine_classes_class_averaged", (True,)),
        ("combine_classes_class_averaged", (False,)),
        ("combine_classes_det_averaged", ()),
    ):
        found, expected = (
            getattr(each, method)(part, *arguments) for each, part in zip((ours, theirs), parts, strict=True)
        )
        assert found.keys() == expected.keys()
        for field, value in expected.items():
            np.testing.assert_allclose(found[field], value, rtol=1e-12, atol=1e-12, err_msg=field)
    assert ours.get_name() == theirs.get_name()
