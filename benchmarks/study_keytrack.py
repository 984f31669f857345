"""KeyTrack's linking on annotated people: trained on synthetic and on real tracks, beside link's own costs.

    python benchmarks/study_keytrack.py links --out run/keytrack        wrong links, at full and lower frame rates
    python benchmarks/study_keytrack.py robust --out run/keytrack       the same where joints are off or lost
    python benchmarks/study_keytrack.py detections --out run/keytrack   official MOTA of a detector's poses
    python benchmarks/study_keytrack.py settings --out run/keytrack     frames looked back, matcher
    python benchmarks/study_keytrack.py attention --out run/keytrack    a matching and another pair (figure 8)

The folder --out keeps the networks' checkpoints: each is trained where it is not there yet, or goes on. Real tracks
are those of somof/train and all figures those of somof/val and posetrack/val, which PTFAST_DATA (default
../shared/data) holds. Figures go to benchmarks/results/keytrack.json; `python benchmarks/make_tables.py` writes them
into docs/keytrack.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attention_maps import draw_attention
from bench_linking_quality import ALL, PLAIN, STRIDES, switches, wrong_links
from conftest import machine
from keytrack_runs import RUNS, trained
from people_in_pictures import DATA, needed
from studies import DOCS, save
from tqdm import tqdm

import ptfast
from ptfast.evaluation.posetrack import evaluate
from ptfast.io import read_sequences
from ptfast.models import PoseEntailment
from ptfast.structures import Poses
from ptfast.tracking import EntailmentLinker, link
from ptfast.tracking.settings import MIN_JOINT_SCORE, MIN_SCORE

FILE = "keytrack"
JITTER, LOST = 0.04, 0.2  # of a pose's longer side; of the joints
Linker = Callable[[Poses], Poses]
THRESHOLDS = {"min_score": MIN_SCORE, "min_joint_score": MIN_JOINT_SCORE}


class Subject:
    """Networks and sequences, once for all parts of the study."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    @cached_property
    def networks(self) -> dict[str, PoseEntailment]:
        """The trained networks, by name."""
        return {name: trained(RUNS[name], self.options.out / name) for name in self.options.networks}

    @cached_property
    def truth(self) -> dict[str, Poses]:
        """The annotated sequences of somof/val, in the networks' joints."""
        skeleton = next(iter(self.networks.values())).skeleton
        return {name: poses.to_skeleton(skeleton) for name, poses in sequences("somof/val").items()}

    def linkers(self, **thresholds: float | None) -> dict[str, Linker]:
        """Every way of linking, by name."""
        found: dict[str, Linker] = {
            "OKS, as the papers do": partial(link, **PLAIN, **thresholds),
            "link's defaults": partial(link, **thresholds),
        }
        for name, network in self.networks.items():
            found[name] = EntailmentLinker(network, **thresholds).link
            found[f"{name}, in link's cascade"] = partial(link, cost=network, max_cost=0.5, **thresholds)
        return found


def main() -> None:
    """Runs the parts."""
    parts = {
        "links": study_links,
        "robust": study_robust,
        "detections": study_detections,
        "settings": study_settings,
        "attention": study_attention,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=parts, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="folder of the networks' checkpoints")
    parser.add_argument("--networks", choices=RUNS, nargs="+", default=list(RUNS), help="that are trained (all)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    for set_threads in (torch.set_num_threads, ptfast.set_num_threads):
        set_threads(options.threads)
    subject = Subject(options)
    for name in options.part:
        parts[name](subject)


def study_links(subject: Subject) -> None:
    """Wrong links at each stride."""
    save(FILE, "links", list(link_rows(subject, subject.truth)), machine=machine())


def study_robust(subject: Subject) -> None:
    """The same with joints that are off and lost."""
    rng = np.random.default_rng(0)
    spoilt = {name: spoil(poses, rng) for name, poses in subject.truth.items()}
    save(FILE, "robust", list(link_rows(subject, spoilt)), jitter=JITTER, lost=LOST)


def link_rows(subject: Subject, truth: dict[str, Poses]) -> Iterator[dict[str, Any]]:
    """A row for each way of linking: the percentage of wrong links at each stride, and switches at full rate."""
    for title, linker in tqdm(subject.linkers(**ALL).items(), desc="links"):
        row: dict[str, Any] = {"linking": title}
        for stride in STRIDES:
            pairs = [(each[::stride], linked_ids(each[::stride], linker)) for each in truth.values()]
            wrong, links = np.sum([wrong_links(*pair) for pair in pairs], 0).tolist()
            row[f"wrong at {stride}, %"] = round(100 * wrong / links, 2)
            row |= {"switches": sum(switches(*pair) for pair in pairs)} if stride == 1 else {}
        yield row


def study_detections(subject: Subject) -> None:
    """Official scores of a detector's poses on posetrack/val, at link's thresholds."""
    truth, found = (sequences(f"posetrack/{part}/val") for part in ("annotations", "detections"))
    skeleton = next(iter(subject.networks.values())).skeleton
    found = {name: poses.to_skeleton(skeleton) for name, poses in found.items()}
    truth = {name: poses.to_skeleton(skeleton) for name, poses in truth.items()}
    rows = []
    for title, linker in tqdm(subject.linkers(**THRESHOLDS).items(), desc="detections"):
        scores = evaluate(truth, {name: linker(poses) for name, poses in found.items()})
        names = ("mota", "precision", "recall", "switches")
        rows.append({"linking": title} | {name: round(float(getattr(scores, name)[-1]), 2) for name in names})
    save(FILE, "detections", rows)


def study_settings(subject: Subject) -> None:
    """Frames looked back and the matcher, with each network, on somof/val at a stride of 4."""
    rows = []
    for title, network in subject.networks.items():
        for settings in ({"lookback": 1}, {"lookback": 2}, {"lookback": 3}, {}, {"matcher": "hungarian"}):
            linker = EntailmentLinker(network, **settings, **ALL)  # type: ignore[arg-type]
            pairs = [(each[::4], linked_ids(each[::4], linker.link)) for each in subject.truth.values()]
            wrong, links = np.sum([wrong_links(*pair) for pair in pairs], 0).tolist()
            usual = {"lookback": 4, "matcher": "greedy"}
            figures = {"wrong at 4, %": round(100 * wrong / links, 2), "switches": sum(switches(*p) for p in pairs)}
            rows.append({"network": title, **usual, **settings, **figures})
    save(FILE, "settings", rows)


def study_attention(subject: Subject) -> None:
    """Attention of a pair of one person and of one of two (figure 8)."""
    name, network = next(iter(subject.networks.items()))
    draw_attention(network, subject.truth.values(), DOCS / "keytrack-attention.png")
    print(f"attention of {name} is in {DOCS / 'keytrack-attention.png'}")


def sequences(folder: str) -> dict[str, Poses]:
    """The sequences of a folder of the data.

    Raises:
        SystemExit: It is not there.
    """
    return dict(read_sequences(needed(DATA / folder)))


def linked_ids(poses: Poses, linker: Linker) -> np.ndarray:
    """(N,) ids that a linker gives to poses without any."""
    return linker(replace(poses, track_ids=np.full(len(poses.scores), -1))).track_ids


def spoil(poses: Poses, rng: np.random.Generator) -> Poses:
    """Poses whose joints are off by `JITTER` of the box's longer side, in the standard deviation, and `LOST` lost."""
    longer = (poses.boxes[:, 2:] - poses.boxes[:, :2]).max(1, initial=0)
    noise = rng.normal(0, 1, poses.keypoints.shape) * (JITTER * longer)[:, None, None]
    kept = (poses.joint_visibility > 0) & (rng.random(poses.joint_visibility.shape) >= LOST)
    kept[~kept.any(1)] = poses.joint_visibility[~kept.any(1)] > 0  # a person keeps a joint at least
    moved = (poses.keypoints + noise).astype(np.float32)
    return replace(poses, keypoints=moved, joint_visibility=np.where(kept, poses.joint_visibility, 0).astype(np.uint8))


if __name__ == "__main__":
    main()
