"""Summaries beside motmetrics', and one worked out by hand."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from peers import peer

import ptfast.dropin.motmetrics as mm
from ptfast.dropin._motmetrics.measures import MEASURES

Frames = list[tuple[np.ndarray, np.ndarray, np.ndarray]]
ALL = sorted(MEASURES)


def frames(count: int, people: int, seed: int = 0) -> Frames:
    """Objects, and two more hypotheses than there are people; who belongs together is mostly near."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        objects = random.permutation(people)[: random.binomial(people, 0.8)]
        hypotheses = random.permutation(people + 2)[: random.binomial(people + 2, 0.8)]
        distances = random.uniform(0.1, 1, (len(objects), len(hypotheses)))
        distances[random.random(distances.shape) < 0.4] = np.nan
        near = (objects[:, None] == hypotheses) & (random.random(distances.shape) < 0.8)
        distances[near] = random.uniform(0, 0.1, near.sum())
        found.append((10 + objects, 100 - 3 * hypotheses, distances))
    return found


def collect(package: Any, sequence: Frames, **options: Any) -> Any:
    accumulator = package.MOTAccumulator(auto_id=True, **options)
    for f, frame in enumerate(sequence):
        assert accumulator.update(*frame) == f
    return accumulator


@pytest.mark.parametrize(("count", "people"), [(0, 0), (1, 0), (1, 1), (2, 3), (30, 1), (30, 5), (20, 12)])
def test_measures_equal_the_originals(count: int, people: int) -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    sequence = frames(count, people)
    theirs, ours = (collect(package, sequence) for package in (original, mm))
    for metrics in (None, ALL, "mota"):
        options = {"metrics": metrics, "name": "a"}
        found, expected = (p.metrics.create().compute(a, **options) for p, a in ((mm, ours), (original, theirs)))
        testing.assert_frame_equal(found, expected, rtol=1e-12)
    found, expected = (
        p.metrics.create().compute(a, return_dataframe=False) for p, a in ((mm, ours), (original, theirs))
    )
    assert list(found) == list(expected)
    testing.assert_frame_equal(ours.events, theirs.events)
    testing.assert_frame_equal(ours.mot_events, theirs.mot_events)


def test_several_sequences_equal_the_originals() -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    sequences = [frames(15, 4, seed) for seed in range(3)]
    nowhere: Frames = [(np.array([1]), np.array([2]), np.array([[np.nan]]))]
    for parts, names, overall in (
        (sequences, list("abc"), True),
        (sequences, None, False),
        ([*sequences, nowhere], None, True),
    ):
        options = {"metrics": ALL, "names": names, "generate_overall": overall}
        found, expected = (
            package.metrics.create().compute_many([collect(package, part) for part in parts], **options)
            for package in (mm, original)
        )
        testing.assert_frame_equal(found, expected, rtol=1e-12)
    assert np.isnan(found.loc["OVERALL", "motp"])


def test_what_is_left_to_the_original() -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    sequence = frames(12, 4)
    twice = [(np.array([1, 2]), np.array([5, 5]), np.array([[0.1, 0.2], [0.3, 0.1]]))]
    halves = [(np.array([0.5, 1.5]), np.array([5, 6]), np.array([[0.1, 0.2], [0.3, 0.1]]))]
    for part, options in ((sequence, {"max_switch_time": 2}), (twice, {}), (halves, {})):
        found, expected = (p.metrics.create().compute(collect(p, part, **options)) for p in (mm, original))
        testing.assert_frame_equal(found, expected)
    found, expected = (
        p.metrics.create().compute(collect(p, sequence), metrics=["track_ratios"], return_dataframe=False)
        for p in (mm, original)
    )
    testing.assert_series_equal(found["track_ratios"], expected["track_ratios"])
    assert mm.distances is original.distances
    assert mm.metrics.MetricsHost is original.metrics.MetricsHost
    assert mm.metrics.motchallenge_metrics == original.metrics.motchallenge_metrics
    host = mm.metrics.create()
    assert host.names == original.metrics.create().names
    text = mm.io.render_summary(host.compute(collect(mm, sequence)), formatters=host.formatters)
    assert text == original.io.render_summary(
        original.metrics.create().compute(collect(original, sequence)), formatters=host.formatters
    )


def test_an_id_that_is_repeated_is_an_error_where_it_is_in_the_original() -> None:
    """And what comes of going on all the same is equal, too."""
    testing = peer("pandas").testing
    repeated = np.array([[0.1, np.nan], [np.nan, 0.2]])
    tables = []
    for package in (mm, peer("motmetrics")):
        accumulator = package.MOTAccumulator(auto_id=True)
        assert accumulator.update([3], [5], [[0.1]]) == 0
        assert accumulator.update([3, 3], [5, 6], repeated) == 1
        with pytest.raises(KeyError, match="4"):
            accumulator.update([4, 4], [5, 6], repeated)
        with pytest.raises(KeyError, match="4"):
            accumulator.update([4], [6], [[0.1]])
        assert accumulator.update([3], [6], [[0.1]]) == 4
        tables.append(package.metrics.create().compute(accumulator, metrics=ALL))
    testing.assert_frame_equal(*tables)


def test_the_event_table_grows() -> None:
    """It may be asked for between frames, and after."""
    testing = peer("pandas").testing
    ours, theirs = (package.MOTAccumulator(auto_id=True) for package in (mm, peer("motmetrics")))
    for frame in frames(4, 3):
        assert ours.update(*frame) == theirs.update(*frame)
        testing.assert_frame_equal(ours.events, theirs.events)
    ours.reset()
    ours.update([1], [2], [[0.5]])
    assert ours.events.index.get_level_values(0).unique().tolist() == [0]


def test_frame_ids_of_ones_own() -> None:
    original, testing = peer("motmetrics"), peer("pandas").testing
    names = ["num_frames", "mota", "motp", "idf1"]
    for ids in ([3, 7, 8], [3, 8, 7], [3, 3, 4]):
        tables = []
        for package in (mm, original):
            accumulator = package.MOTAccumulator()
            for frame_id, frame in zip(ids, frames(3, 3), strict=True):
                assert accumulator.update(*frame, frameid=frame_id) == frame_id
            tables.append(package.metrics.create().compute(accumulator, metrics=names))
        testing.assert_frame_equal(*tables)


def test_known_measures() -> None:
    nan = np.nan
    accumulator = collect(mm, [
        ([1, 2], [7, 8], [[0.1, nan], [nan, 0.2]]),  # two matches
        ([1, 2], [7], [[nan], [nan]]),  # two misses, one false positive
        ([1, 2], [8, 9], [[0.3, nan], [nan, 0.4]]),  # two switches, the first by a transfer
        ([2], [9], [[0.0]]),  # one match
    ])  # fmt: skip
    found = mm.metrics.create().compute(accumulator, metrics=ALL, return_dataframe=False)
    expected = {
        "num_frames": 4, "num_objects": 7, "num_predictions": 6, "num_unique_objects": 2, "num_matches": 3,
        "num_switches": 2, "num_detections": 5, "num_misses": 2, "num_false_positives": 1, "num_transfer": 1,
        "num_ascend": 1, "num_migrate": 0, "num_fragmentations": 2, "mostly_tracked": 0, "partially_tracked": 2,
        "mostly_lost": 0, "motp": 0.2, "mota": 1 - 5 / 7, "precision": 5 / 6, "recall": 5 / 7,
        "idtp": 3, "idfp": 3, "idfn": 4, "idp": 3 / 6, "idr": 3 / 7, "idf1": 6 / 13,
    }  # fmt: skip
    assert found == pytest.approx(expected)


def test_frames_are_copied_and_forgotten() -> None:
    accumulator = mm.MOTAccumulator(auto_id=True)
    ids, distances = np.array([1]), np.array([[0.5]])
    accumulator.update(ids, ids, distances)
    ids[:], distances[:] = 9, np.nan
    accumulator.update([1], [1], [[0.5]])
    host = mm.metrics.create()
    found = host.compute(accumulator, metrics=["num_unique_objects", "num_matches"], return_dataframe=False)
    assert found == {"num_unique_objects": 1, "num_matches": 2}
    accumulator.reset()
    assert host.compute(accumulator, metrics="num_frames", return_dataframe=False) == {"num_frames": 0}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: mm.MOTAccumulator().update([1], [1], [[0]]), AssertionError, "auto-id is not enabled"),
        (lambda: mm.MOTAccumulator(True).update([1], [1], [[0]], frameid=1), AssertionError, "Cannot provide frame id"),
        (lambda: mm.MOTAccumulator(True).update([1, 2], [1], [[0]]), ValueError, "cannot reshape"),
    ],
)
def test_errors(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_importing_loads_neither_pandas_nor_motmetrics() -> None:
    script = "import sys, ptfast.dropin.motmetrics; print({'torch', 'pandas', 'motmetrics'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
