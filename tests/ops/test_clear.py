"""clear_match against its specification, py-motmetrics and cases counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ptfast import set_num_threads
from ptfast._columns import frame_pairs
from ptfast.ops.clear import ClearEvents, clear_match
from ptfast.reference.clear import clear_match as specification

NAN = np.nan
Frame = tuple[list[int], list[int], list[list[float]]]  # object ids, hypothesis ids, distances


def packed(frames: list[Frame]) -> dict[str, Any]:
    """Arguments of clear_match for one channel."""
    blocks = [np.asarray(block, float).reshape(-1) for _, _, block in frames]
    return {
        "distances": np.concatenate([np.zeros(0), *blocks])[:, None],
        "object_ids": np.array([name for objects, _, _ in frames for name in objects], int),
        "hypothesis_ids": np.array([name for _, hypotheses, _ in frames for name in hypotheses], int),
        "object_offsets": np.cumsum([0] + [len(objects) for objects, _, _ in frames]),
        "hypothesis_offsets": np.cumsum([0] + [len(hypotheses) for _, hypotheses, _ in frames]),
    }


def run(frames: list[Frame], **more: Any) -> ClearEvents:
    return clear_match(**packed(frames), **more)


def random_frames(rng: np.random.Generator, frames: int, people: int, ids: int) -> list[Frame]:
    """Few ids, so that they return after gaps and pass from one to another; empty frames and forbidden pairs."""
    made: list[Frame] = []
    for _ in range(frames):
        n, m = rng.integers(0, min(people, ids) + 1, 2)
        objects, hypotheses = rng.permutation(ids)[:n].tolist(), (100 + rng.permutation(ids)[:m]).tolist()
        distances = np.where(rng.random((n, m)) < 0.5, rng.random((n, m)), rng.choice([NAN, np.inf]))
        made.append((objects, hypotheses, distances.tolist()))
    return made


def test_an_object_keeps_its_hypothesis_though_another_is_nearer() -> None:
    events = run([([1], [7, 8], [[0.1, 0.2]]), ([1], [7, 8], [[0.4, 0.0]])])
    assert events.matched.ravel().tolist() == [0, 2]
    assert (events.matches.item(), events.switches.item(), events.false_positives.item()) == (2, 0, 2)
    assert events.distance.item() == pytest.approx(0.5)


def test_another_hypothesis_is_a_switch_however_long_the_gap() -> None:
    events = run([([1], [7], [[0.1]]), ([], [], []), ([1], [], []), ([1], [8], [[0.1]])])
    assert events.matched.ravel().tolist() == [0, -1, 1]
    assert events.switched.ravel().tolist() == [False, False, True]
    assert (events.matches.item(), events.switches.item(), events.misses.item(), events.ascends.item()) == (1, 1, 1, 1)


def test_the_first_row_keeps_a_hypothesis_that_two_objects_had() -> None:
    frames = [([1], [7], [[0.1]]), ([2], [7], [[0.1]]), ([2, 1], [7], [[0.3], [0.1]])]
    events = run(frames)
    assert events.matched.ravel().tolist() == [0, 1, 2, -1]
    assert (events.transfers.item(), events.migrates.item(), events.switches.item()) == (1, 1, 0)


def test_as_many_pairs_as_possible_come_before_the_nearest() -> None:
    events = run([([1, 2], [7, 8], [[0.0, 0.5], [0.5, NAN]])])
    assert events.matched.ravel().tolist() == [1, 0]


def test_event_distance_counts_admissible_pairs_and_transfers_again() -> None:
    events = run([([1], [7], [[0.25]]), ([2], [7], [[0.5]])])
    assert events.distance.item() == 0.75
    assert events.event_distance.item() == 0.75 + 0.75 + 2 * 0.5  # and one transfer, one migrate


def test_ids_of_another_sequence_are_strangers() -> None:
    frames: list[Frame] = [([1], [7], [[0.1]]), ([1], [8], [[0.1]])]
    assert run(frames).switches.tolist() == [[1]]
    assert run(frames, sequence_offsets=[0, 1, 2]).switches.tolist() == [[0], [0]]


def test_absent_entries_are_neither_objects_nor_hypotheses() -> None:
    frames: list[Frame] = [([1, 2], [7, 8], [[0.1, 0.2], [0.3, 0.4]])]
    events = run(frames, object_present=np.array([[1], [0]]), hypothesis_present=np.array([[0], [1]]))
    assert events.matched.ravel().tolist() == [1, -1]
    assert (events.objects.item(), events.misses.item(), events.false_positives.item()) == (1, 0, 0)
    assert events.event_distance.item() == pytest.approx(0.4)


@pytest.mark.parametrize("sequences", [0, 1, 5])
def test_nothing_gives_zeros(sequences: int) -> None:
    events = run([], sequence_offsets=[0] * (sequences + 1))
    assert events.matched.shape == (0, 1)
    assert events.counts.shape == (sequences, 1, 7)
    assert not events.counts.any()


@pytest.mark.parametrize(("people", "channels", "threads"), [(1, 1, 1), (3, 1, 2), (7, 3, 2), (13, 15, 2), (40, 2, 1)])
def test_equals_its_specification(people: int, channels: int, threads: int) -> None:
    rng = np.random.default_rng(people)
    arguments = packed(random_frames(rng, 60, people, people + 3))
    pairs, n, m = (len(arguments[name]) for name in ("distances", "object_ids", "hypothesis_ids"))
    arguments["distances"] = np.where(rng.random((pairs, channels)) < 0.6, rng.random((pairs, channels)), NAN)
    arguments["sequence_offsets"] = np.array([0, 0, 11, 30, 60])
    arguments["object_present"] = rng.random((n, channels)) < 0.8
    arguments["hypothesis_present"] = rng.random((m, channels)) < 0.8
    matched, switched, counts, sums = specification(**arguments)
    set_num_threads(threads)
    events = clear_match(**arguments)
    set_num_threads(0)
    np.testing.assert_array_equal(events.matched, matched)
    np.testing.assert_array_equal(events.switched, switched)
    np.testing.assert_array_equal(events.counts, counts)
    np.testing.assert_allclose(np.stack([events.distance, events.event_distance], -1), sums, rtol=1e-12)


def test_listed_pairs_equal_all_pairs() -> None:
    rng = np.random.default_rng(1)
    arguments = packed(random_frames(rng, 50, 6, 9))
    rows, columns = frame_pairs(arguments["object_offsets"], arguments["hypothesis_offsets"])
    near = np.isfinite(arguments["distances"]).all(1)
    assert 0 < near.sum() < len(near)
    listed = arguments | {"distances": arguments["distances"][near], "pairs": (rows[near], columns[near])}
    some, every = clear_match(**listed), clear_match(**arguments)
    for name in ("matched", "switched", "counts", "distance", "event_distance"):
        np.testing.assert_array_equal(getattr(some, name), getattr(every, name))


def test_takes_arrays_that_are_not_contiguous() -> None:
    arguments = packed(random_frames(np.random.default_rng(3), 20, 5, 6))
    wide = {name: np.repeat(arguments[name], 2, axis=0)[::2] for name in arguments}
    np.testing.assert_array_equal(clear_match(**wide).counts, clear_match(**arguments).counts)


@pytest.mark.parametrize("seed", range(40))
def test_equals_motmetrics(seed: int) -> None:
    motmetrics = pytest.importorskip("motmetrics")
    rng = np.random.default_rng(seed)
    frames = random_frames(rng, int(rng.integers(1, 25)), int(rng.integers(1, 7)), int(rng.integers(1, 9)))
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for objects, hypotheses, distances in frames:
        accumulator.update(objects, hypotheses, np.reshape(distances, (len(objects), len(hypotheses))))
    kinds = ["MATCH", "SWITCH", "MISS", "FP", "TRANSFER", "ASCEND", "MIGRATE"]
    table = accumulator.events
    events = run(frames)
    assert events.counts[0, 0].tolist() == [int((table.Type == kind).sum()) for kind in kinds]
    assert events.event_distance.item() == pytest.approx(table.D.sum())
    assert events.distance.item() == pytest.approx(table.D[table.Type.isin(["MATCH", "SWITCH"])].sum())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"distances": np.zeros(4)}, r"distances must have shape \(P, K\), got \(4,\)"),
        ({"distances": np.zeros((3, 1))}, r"distances must have shape \(P, K\) with P = 4, got \(3, 1\)"),
        ({"object_offsets": [0, 3]}, r"object_offsets must rise from 0 to 2, got \[0, 3\]"),
        (
            {"hypothesis_offsets": [0, 1, 2]},
            r"hypothesis_offsets must have shape .* with F \+ 1 = 2, got \(3,\)",
        ),
        ({"pairs": ([0, 1], [0, 2])}, r"pairs must be of rows of one frame, got \(1, 2\)"),
        ({"pairs": ([1, 0], [0, 1])}, "pairs must be sorted by object, then hypothesis, each once"),
        ({"pairs": ([0, 0], [1, 1])}, "pairs must be sorted by object, then hypothesis, each once"),
        ({"pairs": ([0, 1], [0])}, r"pairs\[1\] must have shape .* with P = 2, got \(1,\)"),
        ({"pairs": ([0, 1], [0, 1])}, r"distances must have shape .* with P = 2, got \(4, 1\)"),
        ({"sequence_offsets": [0, 2]}, r"sequence_offsets must rise from 0 to 1, got \[0, 2\]"),
        (
            {"object_present": np.ones((2, 2))},
            r"object_present must have shape .* with N = 2, K = 1, got \(2, 2\)",
        ),
    ],
)
def test_errors_name_the_argument(change: dict[str, Any], message: str) -> None:
    arguments = packed([([1, 2], [7, 8], [[0.1, 0.2], [0.3, 0.4]])])
    with pytest.raises(ValueError, match=message):
        clear_match(**(arguments | change))


@pytest.mark.parametrize("levels", [1, 2, 5])
@pytest.mark.parametrize(("people", "ids"), [(2, 3), (6, 6), (9, 15)])
def test_equally_good_assignments_are_chosen_as_by_scipy(levels: int, people: int, ids: int) -> None:
    """Few different distances; kept pairs take part in the choice, as in py-motmetrics."""
    rng = np.random.default_rng(levels)
    arguments = packed(random_frames(rng, 80, people, ids))
    cells = arguments["distances"]
    arguments["distances"] = np.where(rng.random(cells.shape) < 0.7, rng.integers(0, levels, cells.shape), NAN)
    arguments["sequence_offsets"] = np.array([0, 25, 80])
    arguments["object_present"] = np.ones((len(arguments["object_ids"]), 1), bool)
    arguments["hypothesis_present"] = np.ones((len(arguments["hypothesis_ids"]), 1), bool)
    matched, _, counts, _ = specification(**arguments)
    events = clear_match(**arguments)
    np.testing.assert_array_equal(events.matched, matched)
    np.testing.assert_array_equal(events.counts, counts)


def test_an_id_twice_in_a_frame_keeps_one_pair_and_switches_in_the_other() -> None:
    frames: list[Frame] = [([1], [7], [[0.1]]), ([1, 1], [7, 8], [[0.1, NAN], [0.1, 0.1]]), ([1], [7, 8], [[0.1, 0.2]])]
    events = run(frames)
    assert events.matched.ravel().tolist() == [0, 1, 2, 4]
    assert events.switched.ravel().tolist() == [False, False, True, False]


@pytest.mark.parametrize("distance", [1e308, -1e308])
def test_distances_too_great_to_add_give_a_valid_matching(distance: float) -> None:
    events = run([([1, 2, 3], [7, 8], np.full((3, 2), distance).tolist())])
    assert sorted(events.matched.ravel().tolist()) == [-1, 0, 1]
