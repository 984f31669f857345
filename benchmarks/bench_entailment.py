"""KeyTrack's linking without its network: time of what is around it, whole videos and frame by frame.

`pytest benchmarks/bench_entailment.py --benchmark-only` times it beside plain loops.
`python benchmarks/bench_entailment.py` prints how many pairs of one person `max_speed` would rule out, and how many
`sure_margin` would decide, in somof's training tracks, which PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from bench_linking_quality import DATA, STRIDES

from ptfast.io import read_sequences
from ptfast.reference.entailment import link_ids
from ptfast.structures import Poses
from ptfast.synthetic import crowd
from ptfast.tracking import EntailmentLinker
from ptfast.tracking.match_scores import within_reach

FRAMES, PEOPLE, LOOKBACK = 1_000, 20, 4
SPEEDS = (0.5, 1.0, 1.5, 2.0, 3.0)
MARGINS = (0.3, 0.4, 0.5, 0.6, 0.8)


class Nearness:
    """Scores pairs by the distance of their first joints, in next to no time."""

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        step = earlier.keypoints[pairs[:, 0], 0] - current.keypoints[pairs[:, 1], 0]
        return 1 / (1 + 0.01 * np.abs(step).sum(1))


@pytest.fixture(scope="module")
def poses() -> Poses:
    return crowd(0, frames=FRAMES, people=PEOPLE)


@pytest.mark.benchmark(group=f"KeyTrack's linking, {FRAMES} frames of {PEOPLE} people, without its network")
class TestLinking:
    def test_whole_video(self, benchmark: Callable, poses: Poses) -> None:
        linker = EntailmentLinker(Nearness(), max_speed=None)
        ids = benchmark(linker.link, poses).track_ids
        expected = link_ids(poses[:50], score, lookback=LOOKBACK, neighbours=4, min_match_score=0.5)
        np.testing.assert_array_equal(ids[: len(expected)], expected)

    def test_frame_by_frame(self, benchmark: Callable, poses: Poses) -> None:
        linker = EntailmentLinker(Nearness(), max_speed=None)

        def run() -> np.ndarray:
            linker.reset()
            return np.concatenate([linker.update(poses.frame(f)).track_ids for f in range(len(poses))])

        np.testing.assert_array_equal(
            benchmark(run), EntailmentLinker(Nearness(), max_speed=None).link(poses).track_ids
        )

    def test_plain_loops(self, benchmark: Callable, poses: Poses) -> None:
        """Of 50 frames alone."""
        settings = {"lookback": LOOKBACK, "neighbours": 4, "min_match_score": 0.5}
        benchmark.pedantic(link_ids, args=(poses[:50], score), kwargs=settings, rounds=1)


def score(poses: Poses, i: int, j: int, apart: int) -> float:
    return float(Nearness().match_scores(poses, poses, np.array([[i, j]]), np.array([apart]))[0])


def own_pairs(poses: Poses) -> tuple[np.ndarray, np.ndarray]:
    """(P, 2) rows of annotated people up to LOOKBACK frames apart, and (P,) how many."""
    parts = []
    for apart in range(1, LOOKBACK + 1):
        for f in range(apart, len(poses)):
            a, b = poses.frame_offsets[[f - apart, f]]
            earlier, current = poses.frame(f - apart).track_ids, poses.frame(f).track_ids
            i, j = np.nonzero((earlier[:, None] == current) & (earlier[:, None] >= 0))
            parts.append(np.stack([a + i, b + j, np.full(len(i), apart)], 1))
    rows = np.concatenate([np.zeros((0, 3), np.int64), *parts])
    return rows[:, :2], rows[:, 2]


def too_fast(stride: int) -> str:
    """A line of the table: pairs of one person at every so many frames, and the percentage over each speed."""
    near = []
    for whole in read_sequences(DATA / "somof" / "train").values():
        poses = whole[::stride]
        rows, apart = own_pairs(poses)
        boxes = poses.boxes[rows[:, 0]], poses.boxes[rows[:, 1]]
        near.append(np.stack([within_reach(*boxes, apart, speed) for speed in SPEEDS], 1))
    shares = 100 * (1 - np.concatenate(near).mean(0))
    return f"| {stride} | {sum(map(len, near)):,} | {' | '.join(f'{share:.3f}' for share in shares)} |"


class Nobody:
    """Scores every pair 0, so that only what needs no scorer is linked."""

    def match_scores(self, earlier: Poses, current: Poses, pairs: np.ndarray, frames_apart: np.ndarray) -> np.ndarray:
        return np.zeros(len(pairs), np.float32)


def decided(stride: int) -> str:
    """A line of the table: the percentage of people of two frames in a row whom each margin decides, and wrong ones."""
    counts, people = np.zeros((len(MARGINS), 2), np.int64), 0
    for whole in read_sequences(DATA / "somof" / "train").values():
        poses = replace(whole[::stride], frame_ids=None)
        people += int((own_pairs(poses)[1] == 1).sum())
        for row, margin in enumerate(MARGINS):
            linked = EntailmentLinker(Nobody(), lookback=1, max_speed=None, sure_margin=margin).link(poses)
            rows, apart = own_pairs(linked)
            truth = poses.track_ids[rows[apart == 1]]
            counts[row] += len(truth), (truth[:, 0] != truth[:, 1]).sum()
    cells = [f"{100 * sure / people:.1f} ({wrong})" for sure, wrong in counts.tolist()]
    return f"| {stride} | {people:,} | {' | '.join(cells)} |"


def print_table(heads: list[str], line: Callable[[int], str]) -> None:
    """A table with a line for each stride."""
    print(f"| stride | {' | '.join(heads)} |", "|---:|" + "---:|" * len(heads), sep="\n")
    for stride in STRIDES:
        print(line(stride))


if __name__ == "__main__":
    print("Pairs of one person, and the percentage that moves by more than so many lengths a frame\n")
    print_table(["pairs", *(f"> {speed:g}" for speed in SPEEDS)], too_fast)
    print("\nPeople in two frames in a row, and the percentage that a margin decides (and how many wrongly)\n")
    print_table(["people", *map(str, MARGINS)], decided)
