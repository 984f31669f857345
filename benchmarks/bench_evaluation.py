"""Evaluation: against the official PoseTrack evaluator, reading the files included, and against py-motmetrics.

The official evaluator is on no registry: PTFAST_POSEVAL names a checkout of leonid-pishchulin/poseval, whose needs
(motmetrics, shapely, click, tqdm) must be installed beside ptfast.

How many flops evaluation takes hangs on the poses; the roofline counts the bytes of the input alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.evaluation import posetrack
from ptfast.io import write_poses
from ptfast.ops.clear import clear_match
from ptfast.synthetic import crowd

FIGURES = {"AP": {"ap": "ap", "ap_precision": "pre", "ap_recall": "rec"}}
FIGURES["MOT"] = {"mota": "mota", "motp": "motp", "precision": "pre", "recall": "rec"}
# Official AP hangs on how NumPy sorts equal scores, which differs between its releases and processors.
TOLERANCE = {"ap": 0.01, "motp": 1e-4}
Frame = tuple[list[int], list[int], np.ndarray]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders gt17, gt18, pred17 and pred18: of real sequences where they are, else of synthetic ones."""
    data = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "poseval_golden"
    return data if data.is_dir() else synthetic_sequences(tmp_path_factory.mktemp("sequences"))


def synthetic_sequences(folder: Path, count: int = 5) -> Path:
    """Crowds that cross each other, found with noise, misses and changes of identity."""
    truths, found = {}, {}
    for seed in range(count):
        rng = np.random.default_rng(seed)
        people = crowd(seed, frames=60, people=5)
        low = people.keypoints[:, people.skeleton.joints.index("head_top")] - 10
        name = f"{seed + 1:06d}_mpii_test"
        truths[name] = replace(people, head_boxes=np.concatenate([low, low + 30], 1), sequence=name)
        noisy = people.keypoints + rng.normal(0, 5, people.keypoints.shape)
        seen = rng.random(people.joint_scores.shape) < 0.9
        ids = np.where(rng.random(len(people.scores)) < 0.02, people.track_ids + 10, people.track_ids)
        poses = replace(
            people, keypoints=noisy, joint_scores=rng.random(seen.shape), joint_visibility=seen,
            scores=rng.random(len(ids)), track_ids=ids, sequence=name,
        )  # fmt: skip
        found[name] = poses.select(rng.random(len(ids)) < 0.9)
    for year in ("17", "18"):
        write_poses(truths, folder / f"gt{year}", format=f"posetrack{year}")
        write_poses(found, folder / f"pred{year}", format=f"posetrack{year}")
    return folder


@pytest.fixture(scope="module")
def poseval() -> Callable[[Path, Path, Path], None]:
    """The official evaluation of both kinds, total and per sequence, written to a folder."""
    if "PTFAST_POSEVAL" not in os.environ:
        pytest.skip("PTFAST_POSEVAL does not name a checkout of the official evaluator")
    sys.path.insert(0, os.environ["PTFAST_POSEVAL"])
    try:
        from poseval import eval_helpers, evaluateAP, evaluateTracking
    except ImportError as error:
        pytest.skip(f"the official evaluator does not load: {error}")
    finally:
        sys.path.pop(0)
    logging.getLogger("poseval.convert").setLevel(logging.ERROR)

    def run(truth: Path, predictions: Path, output: Path) -> None:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            sides = eval_helpers.load_data_dir(["", str(truth), f"{predictions}/"])
            evaluateAP.evaluateAP(*sides, str(output), True, True)
            evaluateTracking.evaluateTracking(*sides, str(output), True, True)

    return run


@pytest.fixture(scope="module")
def official(
    golden: Path, poseval: Callable[[Path, Path, Path], None], median_seconds: Callable[..., float],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[Path, float]]:  # fmt: skip
    """The folder of the official evaluator's figures for a year's files, and its seconds, those of a second call."""

    @cache
    def evaluated(year: str) -> tuple[Path, float]:
        output = tmp_path_factory.mktemp(year)
        call = lambda: poseval(golden / f"gt{year}", golden / f"pred{year}", output)  # noqa: E731
        call()
        return output, median_seconds(call, 1)

    return evaluated


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("year", ["17", "18"])
def test_against_the_official_evaluator(
    benchmark: Any, golden: Path, official: Callable[[str], tuple[Path, float]], year: str, threads: int,
    held_against: Callable[..., None], roofline: Callable[..., None],
) -> None:  # fmt: skip
    truth, predictions = golden / f"gt{year}", golden / f"pred{year}"
    output, seconds = official(year)
    result = posetrack.evaluate(truth, predictions, motp="motmetrics")
    for name, scores in {"total": result, **result.sequences}.items():
        for kind, figures in FIGURES.items():
            printed = json.loads((output / f"{name}_{kind}_metrics.json").read_text())
            for figure, key in figures.items():
                expected, tolerance = np.array(printed[key], np.float64), TOLERANCE.get(figure, 1e-9)
                np.testing.assert_allclose(getattr(scores, figure), expected, rtol=0, atol=tolerance, err_msg=figure)
    benchmark.group = f"evaluation of 5 sequences, 20{year} form, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(posetrack.evaluate, (truth, predictions), rounds=9, warmup_rounds=1)
    roofline(sum(path.stat().st_size for folder in (truth, predictions) for path in folder.iterdir()))
    held_against(seconds, at_least=50 if threads > 1 else 25)  # the official one uses one thread


def accumulators(count: int, frames: int, people: int) -> list[list[Frame]]:
    """Seeded tracks with misses, false positives and identity switches."""
    rng = np.random.default_rng(0)
    made = []
    for _ in range(count):
        names, sequence = np.arange(people), []
        for _ in range(frames):
            if rng.random() < 0.1:
                names = rng.permutation(names)
            objects, seen = np.flatnonzero(rng.random(people) < 0.95), np.flatnonzero(rng.random(people) < 0.9)
            near = objects[:, None] == seen
            distances = np.where(near | (rng.random(near.shape) < 0.1), rng.random(near.shape), np.nan)
            sequence.append((objects.tolist(), names[seen].tolist(), distances))
        made.append(sequence)
    return made


def by_motmetrics(motmetrics: Any, sequences: list[list[Frame]]) -> list[list[int]]:
    """Objects, matches, switches, misses and false positives of each sequence."""
    metrics = motmetrics.metrics.create()
    names = ["num_objects", "num_matches", "num_switches", "num_misses", "num_false_positives"]
    found = []
    for sequence in sequences:
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for frame in sequence:
            accumulator.update(*frame)
        counts = metrics.compute(accumulator, metrics=names, return_dataframe=False)
        found.append([int(counts[name]) for name in names])
    return found


def by_ptfast(sequences: list[list[Frame]]) -> list[list[int]]:
    """The same from the same lists, their packing into arrays included."""
    frames = [frame for sequence in sequences for frame in sequence]
    events = clear_match(
        np.concatenate([distances.ravel() for _, _, distances in frames])[:, None],
        np.array([name for objects, _, _ in frames for name in objects]),
        np.array([name for _, hypotheses, _ in frames for name in hypotheses]),
        object_offsets=np.cumsum([0] + [len(objects) for objects, _, _ in frames]),
        hypothesis_offsets=np.cumsum([0] + [len(hypotheses) for _, hypotheses, _ in frames]),
        sequence_offsets=np.cumsum([0] + [len(sequence) for sequence in sequences]),
    )
    columns = (events.objects, events.matches, events.switches, events.misses, events.false_positives)
    return np.concatenate(columns, 1).tolist()


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_against_motmetrics(
    benchmark: Any, threads: int, median_seconds: Callable[..., float], held_against: Callable[..., None],
    roofline: Callable[..., None],
) -> None:  # fmt: skip
    """CLEAR MOT counts; motmetrics uses one thread."""
    motmetrics = peer("motmetrics")
    sequences = accumulators(count=4, frames=150, people=10)
    assert by_ptfast(sequences) == by_motmetrics(motmetrics, sequences)
    seconds = median_seconds(lambda: by_motmetrics(motmetrics, sequences), 3)
    benchmark.group = (
        f"CLEAR MOT counts of 4 sequences of 150 frames of 10 people, {threads} thread{'s' * (threads > 1)}"
    )
    benchmark.pedantic(by_ptfast, (sequences,), rounds=20, warmup_rounds=2)
    roofline(sum(distances.nbytes for sequence in sequences for _, _, distances in sequence))
    held_against(seconds, at_least=20)
