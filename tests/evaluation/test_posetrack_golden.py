"""Every figure that the official evaluator printed for the golden files, in both PoseTrack formats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ptfast.evaluation.posetrack import PoseTrackResult, evaluate
from ptfast.io import read_sequences

# The order in which the golden run met the files; it ranks equal scores of different sequences.
ORDER = ("000002", "090932040", "060470979", "000023", "048242360")
FIGURES = {
    "ap": ("AP", "ap"),
    "ap_precision": ("AP", "pre"),
    "ap_recall": ("AP", "rec"),
    "mota": ("MOT", "mota"),
    "motp": ("MOT", "motp"),
    "precision": ("MOT", "pre"),
    "recall": ("MOT", "rec"),
}


@pytest.fixture(params=["17", "18"])
def golden(request: pytest.FixtureRequest, data: Path) -> tuple[Path, str]:
    return data / "poseval_golden", request.param


def scored(golden: tuple[Path, str], motp: str) -> PoseTrackResult:
    folder, year = golden
    truth, predictions = (read_sequences(folder / f"{side}{year}") for side in ("gt", "pred"))
    return evaluate({name: truth[name] for name in ORDER}, predictions, motp=motp)  # type: ignore[arg-type, index]


@pytest.mark.parametrize("figure", FIGURES)
def test_equals_the_official_figures(golden: tuple[Path, str], figure: str) -> None:
    folder, year = golden
    result = scored(golden, "motmetrics")
    kind, key = FIGURES[figure]
    for name, scores in {"total": result, **result.sequences}.items():
        printed = json.loads((folder / f"expected{year}" / f"{name}_{kind}_metrics.json").read_text())
        expected = np.array(printed[key], np.float64)
        # Coordinates are float32, which only the mean distance feels.
        tolerance = 1e-4 if figure == "motp" else 1e-9
        np.testing.assert_allclose(getattr(scores, figure), expected, rtol=0, atol=tolerance, err_msg=name)


def test_equals_the_official_counts(golden: tuple[Path, str]) -> None:
    result = scored(golden, "matches")
    counts = (result.objects, result.detections, result.switches, result.misses, result.false_positives)
    assert [int(count[-1]) for count in counts] == [26871, 20477, 567, 6394, 3583]
    assert result.motp[-1] == pytest.approx(77.1507, abs=1e-4)


def test_joint_order_is_the_official_one(golden: tuple[Path, str]) -> None:
    folder, year = golden
    names = json.loads((folder / f"expected{year}" / "total_AP_metrics.json").read_text())["names"]
    assert list(scored(golden, "matches").to_dict()["ap"]) == [names[str(index)] for index in range(16)]


def test_folders_and_files_are_read(data: Path) -> None:
    folder = data / "poseval_golden"
    whole = evaluate(folder / "gt18", folder / "pred18")
    one = evaluate(folder / "gt18" / "000023.json", folder / "pred18" / "000023.json")
    assert one.mota[-1] == whole.sequences["000023"].mota[-1]
