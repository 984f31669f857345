"""Simple Baselines on synthetic videos: the paper's table 5 in kind, with an exact flow too, and the method's time.

    python benchmarks/study_simple_baselines.py settings     thresholds, on training seeds; the parts below take them
    python benchmarks/study_simple_baselines.py table-5      the paper's six rows, with a strong and a weak detector
    python benchmarks/study_simple_baselines.py exact-flow   its rows that need a flow, with the renderer's own
    python benchmarks/study_simple_baselines.py misses       whom propagation could bring back at most
    python benchmarks/study_simple_baselines.py length       L_Q from 1 to 10
    python benchmarks/study_simple_baselines.py real         real people, with all detections and without every third
    python benchmarks/study_simple_baselines.py time         flow, propagation and matching, 960x540, eight people
    python benchmarks/study_simple_baselines.py linear       up to 100,000 frames, with a network that costs nothing

Several parts can be named at once; they then share the films and what the networks find in them. Scores are those of
the 20 videos of ptfast.synthetic.load_test_set(). The weak detector is the strong one without 30 % of its boxes, drawn
by chance, box by box. `--weights` takes another pose network, whose figures have sections of their own. Figures go to
benchmarks/results/simple_baselines.json; `python benchmarks/make_tables.py` writes them and the plot into
docs/simple-baselines.md. With `--frames 16` or the like the films are cut, figures are printed alone, and the paper's
thresholds do where there are no others.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import long_videos
import torch
from bench_linear_time import slope
from conftest import machine
from remembered import DROPPED, Shown
from simple_baselines_misses import rows_of_misses
from simple_baselines_real import real_rows
from simple_baselines_time import LARGE, PEOPLE, set_threads, stage_times
from studies import RESULTS, TRAINING_SEED, films_from, markdown, named, save, scores_of
from tqdm import tqdm

from ptfast.methods import SimpleBaselines
from ptfast.methods.simple_baselines import Config
from ptfast.pipeline import load_detector, load_person_poses
from ptfast.pipeline.flow import load_point_flow
from ptfast.synthetic import Film, load_test_set

FILE, WEIGHTS = "simple_baselines", "simple-baselines"
DETECTORS = ("strong", "weak")
TABLE_5 = (  # propagation and similarity
    (False, "bbox"), (False, "pose"), (True, "bbox"), (True, "pose"), (True, "flow"), (True, "multi-flow"),
)  # fmt: skip
BOXES = (0.3, 0.5, 0.7, 0.8, 0.9)  # thresholds that are tried: min_box_score
JOINTS = (0.2, 0.3, 0.4, 0.5, 0.6)  # min_joint_score
FURTHER = {  # settings that are tried one after the other, each with the best of those before
    "min_score": (None, 0.2, 0.3, 0.4, 0.5),
    "min_propagated_score": (None, 0.3, 0.4, 0.5, 0.6, 0.7),
    "max_undetected": (1, 2, 4, 8, 16, 32),
    "propagated_score": (0.5, 0.7, 0.9, 1.0),
    "max_overlap": (0.4, 0.5, 0.6, 0.7),
}
OF_PROPAGATION = ("min_propagated_score", "max_undetected", "propagated_score", "max_overlap")
MARGIN = 0.25  # of the sum of four scores, within which candidates are equally good
BEST = 4  # of the rows of thresholds that are kept
LENGTHS = range(1, 11)
SUBJECT = "track with flow, stub network"  # of long_videos.py
Settings = dict[str, Any]


@dataclass(frozen=True)
class Variant:
    """A row of a table.

    Attributes:
        head: Its first cells.
        detector: "strong" or "weak".
        settings: Of the method.
        exact: With the renderer's flow.
    """

    head: Settings
    detector: str
    settings: Settings
    exact: bool = False


def main() -> None:
    """Runs the parts."""
    parts = {
        "settings": study_settings,
        "table-5": study_table_5,
        "exact-flow": study_exact_flow,
        "misses": study_misses,
        "length": study_length,
        "real": study_real,
        "time": study_time,
        "linear": study_linear,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=parts, nargs="+")
    parser.add_argument("--weights", default=WEIGHTS, help="of the pose network")
    parser.add_argument("--detector", default="detect-and-track-2d")
    parser.add_argument("--flow", default="sparse")
    parser.add_argument("--films", type=int, default=20, help="of the test set (20)")
    parser.add_argument("--training-films", type=int, default=8, help="for settings (8)")
    parser.add_argument("--frames", type=int, help="of each film, for a try whose figures are not kept")
    parser.add_argument("--longest", type=int, default=100_000, help="frames of the longest video of linear (100,000)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    set_threads(options.threads)
    subject = Subject(options)
    for name in options.part:
        parts[name](subject)


class Subject:
    """The method's parts and the films, once for all parts of the study."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    @cached_property
    def films(self) -> list[Shown]:
        """The test set."""
        return self.shown(islice(load_test_set(), self.options.films))

    @cached_property
    def training_films(self) -> list[Shown]:
        """Films of training seeds."""
        return self.shown(films_from(TRAINING_SEED, self.options.training_films).values())

    def shown(self, films: Iterable[Film]) -> list[Shown]:
        """Films with the networks."""
        detector, network = load_detector(self.options.detector), load_person_poses(self.options.weights)
        drawn = tqdm([*films], desc="drawing", unit="film")
        return [Shown(film, number, detector, network, self.options.frames) for number, film in enumerate(drawn)]

    def settings(self, propagate: bool) -> Settings:
        """What was chosen on training films, with propagation or without."""
        path = RESULTS / f"{FILE}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        if self.section("settings") in known:
            return known[self.section("settings")]["chosen"][word(propagate)] | {"propagate": propagate}
        if self.options.frames is None:
            raise SystemExit(
                f"{path} has no settings; run `python benchmarks/study_simple_baselines.py settings` first"
            )
        usual = Config()
        return {name: getattr(usual, name) for name in ("min_box_score", "min_joint_score")} | {"propagate": propagate}

    def scored(self, films: list[Shown], variants: Iterable[Variant]) -> Iterator[Settings]:
        """The rows of some variants."""
        flow = load_point_flow(self.options.flow)
        truth = {each.truth.sequence: each.truth for each in films}
        for variant in tqdm([*variants], desc="rows"):
            tracks = {}
            for film in films:
                method = SimpleBaselines(
                    film.detectors[variant.detector],
                    film.person_poses,
                    film.true_flow if variant.exact else flow,
                    film.truth.skeleton,
                    Config(**variant.settings),
                )
                tracks[film.truth.sequence] = named(method.track(film.images), film.truth)
            yield variant.head | scores_of(truth, tracks, variant.settings["min_joint_score"])

    def section(self, part: str) -> str:
        """Name of a part's figures: with another pose network than the method's own, that of its weights follows."""
        return part if self.options.weights == WEIGHTS else f"{part}, {self.options.weights}"

    def keep(self, section: str, rows: list[Settings], **about: Any) -> None:
        """Writes a section of the results; prints it alone where films are cut."""
        if self.options.frames is None:
            save(FILE, self.section(section), rows, **about)
        else:
            print(f"{section}, not kept\n{markdown(rows)}")

    def about(self) -> Settings:
        """What goes into the results of all rows on films."""
        names = ("weights", "detector", "flow", "films")
        return {name: getattr(self.options, name) for name in names} | {"dropped": DROPPED}


def word(propagate: bool) -> str:
    """With or without propagation, in tables."""
    return "with" if propagate else "without"


def study_settings(subject: Subject) -> None:
    """Settings by the sum of mAP and MOTA of both detectors, with propagation and without, on training films."""
    rows, chosen = [], {}
    grid = [{"min_box_score": box, "min_joint_score": joint} for box, joint in itertools.product(BOXES, JOINTS)]
    for propagate in (False, True):
        fixed = {"propagate": propagate, "similarity": "multi-flow" if propagate else "pose"}
        tried = ranked(subject, fixed, grid)
        best = tried[0][0]
        rows += [row for _, row in tried[:BEST]]
        for name, values in FURTHER.items():
            if name in OF_PROPAGATION and not propagate:
                continue
            tried = ranked(subject, fixed, [best | {name: value} for value in values])
            best = tried[0][0]
            rows += [row for _, row in tried]
        chosen[word(propagate)] = best
    about = subject.about() | {"films": subject.options.training_films}
    subject.keep("settings", rows, chosen=chosen, **about)
    print(f"chosen: {chosen}")


def ranked(subject: Subject, fixed: Settings, candidates: list[Settings]) -> list[tuple[Settings, Settings]]:
    """Candidates with their rows, the best first; of equally good ones that with most of the usual settings."""
    variants = [Variant({}, detector, fixed | each) for each in candidates for detector in DETECTORS]
    figures = list(subject.scored(subject.training_films, variants))
    found = []
    for place, each in enumerate(candidates):
        both = zip(DETECTORS, figures[2 * place :], strict=False)
        scores = {f"{name}, {detector}": row[name] for detector, row in both for name in ("mAP", "MOTA")}
        unusual = sum(getattr(Config(), name) != value for name, value in each.items())
        found.append((round(sum(scores.values()), 2), unusual, each, head_of(Config(**fixed | each)) | scores))
    least = max(score for score, *_ in found) - MARGIN
    found.sort(key=lambda row: (0, row[1], -row[0]) if row[0] >= least else (1, 0, -row[0]))
    return [(each, row) for *_, each, row in found]


def head_of(config: Config) -> Settings:
    """The settings that are tried, in a table; those of propagation do nothing without it."""
    values = {name: getattr(config, name) for name in ("min_box_score", "min_joint_score", *FURTHER)}
    if not config.propagate:
        values |= dict.fromkeys(OF_PROPAGATION, "")
    shown = {name: "none" if value is None else value for name, value in values.items()}
    return {"propagation": word(config.propagate)} | shown


def variants_of(subject: Subject, detector: str, exact: bool = False) -> Iterator[Variant]:
    """The rows of table 5 with one detector; with an exact flow those that need a flow.

    Without propagation there are rows with the thresholds that are best so, and with those that are best with it.
    """
    for propagate, similarity in TABLE_5:
        for best_with in (True,) if propagate else (False, True):
            if propagate or not exact:
                head = {"detector": detector, "propagation": word(propagate), "similarity": similarity}
                head |= {"thresholds": f"best {word(best_with)}"}
                settings = subject.settings(best_with) | {"propagate": propagate, "similarity": similarity}
                yield Variant(head, detector, settings, exact)


def study_table_5(subject: Subject) -> None:
    """Table 5."""
    variants = [variant for detector in DETECTORS for variant in variants_of(subject, detector)]
    subject.keep("table-5", list(subject.scored(subject.films, variants)), **subject.about())


def study_exact_flow(subject: Subject) -> None:
    """Its rows with the renderer's flow."""
    variants = [variant for detector in DETECTORS for variant in variants_of(subject, detector, exact=True)]
    subject.keep("exact-flow", list(subject.scored(subject.films, variants)), **subject.about())


def study_misses(subject: Subject) -> None:
    """People whom the detectors miss."""
    config = Config(**subject.settings(True))
    rows = [row for detector in DETECTORS for row in rows_of_misses(subject.films, detector, config)]
    subject.keep("misses", rows, **subject.about())


def study_length(subject: Subject) -> None:
    """The length of Q, L_Q."""
    settings = subject.settings(True) | {"similarity": "multi-flow"}
    variants = [
        Variant({"detector": detector, "L_Q": length}, detector, settings | {"queue_length": length})
        for detector in DETECTORS
        for length in LENGTHS
    ]
    subject.keep("length", list(subject.scored(subject.films, variants)), **subject.about())


def study_real(subject: Subject) -> None:
    """Real people, beside `Online` with the same networks."""
    subject.keep("real", list(real_rows()), machine=machine())


def study_time(subject: Subject) -> None:
    """Milliseconds a frame of everything but the two networks, on one thread and on two."""
    rows = list(stage_times(subject.options.frames or 24))
    set_threads(subject.options.threads)
    subject.keep("time", rows, machine=machine(), size="x".join(map(str, LARGE)), people=PEOPLE)


def study_linear(subject: Subject) -> None:
    """Time and memory of ever longer videos, in which a small noisy image shows eight people."""
    lengths = [length for length in long_videos.LENGTHS if length <= subject.options.longest]
    measured = long_videos.measure(SUBJECT, PEOPLE, math.inf, lengths)
    rows = [
        {
            "frames": row["frames"],
            "seconds": round(row["cpu_seconds"], 2),
            "ms a frame": round(1000 * row["cpu_seconds"] / row["frames"], 3),
            "peak memory beside the start, MiB": round(row["peak_bytes"] / 2**20, 1),
        }
        for row in measured
    ]
    power = round(slope(measured, "cpu_seconds"), 3) if len(measured) > 1 else None
    subject.keep("linear", rows, machine=machine(), threads=subject.options.threads, people=PEOPLE, slope=power)


if __name__ == "__main__":
    main()
