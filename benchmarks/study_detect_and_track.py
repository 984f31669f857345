"""Detect-and-Track on synthetic videos: the test set, and the paper's ablations in kind.

    python benchmarks/study_detect_and_track.py test-set     the 20 videos of ptfast.synthetic.load_test_set()
    python benchmarks/study_detect_and_track.py threshold    table 1 of the paper
    python benchmarks/study_detect_and_track.py matcher      table 2
    python benchmarks/study_detect_and_track.py cost         table 3
    python benchmarks/study_detect_and_track.py perfect      table 4
    python benchmarks/study_detect_and_track.py settings     thresholds for the weights' card
    python benchmarks/study_detect_and_track.py windows      dense against chunked windows
    python benchmarks/study_detect_and_track.py initialisation   table 6: trains three networks, --steps each

Several studies can be named at once, which then share their detections. All but the test set run on validation videos.
Figures go to benchmarks/results/detect_and_track.json, and `python benchmarks/make_tables.py` writes them into
docs/detect-and-track.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import make_test_set
import torch
from studies import (
    detect_all,
    detect_in_perfect_boxes,
    films_with_names,
    perfect_association,
    perfect_keypoints,
    save,
    scores_of,
    truth_of,
)
from tqdm import tqdm

from ptfast.methods import DetectAndTrack
from ptfast.models import MaskRcnn3d, inflate
from ptfast.models.appearance import crop_features
from ptfast.pipeline.weights import path_of
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses
from ptfast.synthetic import Film, load_test_set, render
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.tracking import link, weighted_cost
from ptfast.training.data.synthetic_clips import SyntheticClips
from ptfast.training.loop import train
from ptfast.training.mask_rcnn import MaskRcnnConfig, mask_rcnn_task, read_config

FILE = "detect_and_track"
STUDY_SEED = 4_000_000  # of training films that the shipped weights have not seen


def main() -> None:
    """Runs one study."""
    studies = {
        "test-set": study_test_set,
        "threshold": study_threshold,
        "matcher": study_matcher,
        "cost": study_cost,
        "perfect": study_perfect,
        "settings": study_settings,
        "windows": study_windows,
        "initialisation": study_initialisation,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=studies, nargs="+")
    parser.add_argument("--weights", default="detect-and-track")
    parser.add_argument("--videos", type=int, default=12, help="validation videos of 64 frames")
    parser.add_argument("--steps", type=int, default=150, help="of each training for initialisation")
    parser.add_argument("--workers", type=int, default=1, help="processes that make its clips")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    subject = Subject(DetectAndTrack.load(options.weights), options)
    for name in options.study:
        studies[name](subject)


class Subject:
    """The method under study, and what it detects in validation videos, once for all studies.

    Args:
        method: The method.
        options: Options of the command line.
    """

    def __init__(self, method: DetectAndTrack, options: argparse.Namespace) -> None:
        self.method, self.options = method, options

    @cached_property
    def films(self) -> dict[str, Film]:
        """The validation videos."""
        return validation_films(self.options.videos)

    @cached_property
    def truth(self) -> dict[str, Poses]:
        """Their people."""
        return truth_of(self.films)

    @cached_property
    def found(self) -> dict[str, Poses]:
        """Detections of stage 1 in them."""
        return detect_all(self.method, self.films)


def validation_films(videos: int) -> dict[str, Film]:
    """Films in the test set's settings that neither training nor the test set has."""
    # Training is validated on the first hundred of these seeds.
    settings = [
        {**make_test_set.setting(number % make_test_set.VIDEOS), "skeleton": POSETRACK_15} for number in range(videos)
    ]
    return films_with_names(
        render(VALIDATION_SEEDS + 100 + number, **setting) for number, setting in enumerate(settings)
    )


def with_settings(method: DetectAndTrack, **settings: Any) -> DetectAndTrack:
    """The same network with other settings."""
    return DetectAndTrack(method.model, method.skeleton, replace(method.config, **settings), method.device)


def linked(method: DetectAndTrack, found: dict[str, Poses], **settings: Any) -> dict[str, Poses]:
    """Stage 2 on every video."""
    other = with_settings(method, **settings)
    return {name: other.link(poses) for name, poses in found.items()}


def study_test_set(subject: Subject) -> None:
    """The test set, with the method's own settings, and with parts of it perfect."""
    method, films = subject.method, films_with_names(load_test_set())
    truth, found = truth_of(films), detect_all(method, films)
    tracks = linked(method, found)
    boxes = {name: method.finish(poses) for name, poses in detect_in_perfect_boxes(method, films).items()}
    rows = [
        {"tracks": "Detect-and-Track", **scores_of(truth, tracks)},
        {"tracks": "linked by plain box overlap, as the paper does", **scores_of(truth, plain(method, found))},
        {"tracks": "linked by ptfast.link: OKS, velocity, four frames back", **scores_of(truth, ours(method, found))},
        {"tracks": "perfect association", **scores_of(truth, perfect(perfect_association, tracks, truth))},
        {"tracks": "perfect keypoints", **scores_of(truth, perfect(perfect_keypoints, tracks, truth))},
        {"tracks": "perfect boxes and association", **scores_of(truth, boxes)},
    ]
    save(FILE, "test-set", rows, weights=str(subject.options.weights))


def plain(method: DetectAndTrack, found: dict[str, Poses]) -> dict[str, Poses]:
    """The paper's own linking: box overlap, Hungarian, the frame before, every possible pair."""
    return linked(method, found, cost="iou", matcher="hungarian", lookback=1, max_cost=None)


def ours(method: DetectAndTrack, found: dict[str, Poses]) -> dict[str, Poses]:
    """The linking of `ptfast.link`'s defaults."""
    settings = {name: getattr(method.config, name) for name in ("min_score", "min_joint_score")}
    return {name: method.finish(link(method.large(poses), **settings)) for name, poses in found.items()}


def perfect(part: Any, tracks: dict[str, Poses], truth: dict[str, Poses]) -> dict[str, Poses]:
    """Tracks with a part of them perfect."""
    return {name: part(poses, truth[name]) for name, poses in tracks.items()}


def study_threshold(subject: Subject) -> None:
    """Table 1: the threshold on detections before matching."""
    method, truth, found = subject.method, subject.truth, subject.found
    rows = [
        {"threshold": score, **scores_of(truth, linked(method, found, min_score=score))}
        for score in (0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
    ]
    save(FILE, "threshold", rows, videos=len(truth))


def study_settings(subject: Subject) -> None:
    """Thresholds on detections and joints: the sum of mAP and MOTA decides, and goes into the weights' card."""
    method, truth, found = subject.method, subject.truth, subject.found
    rows = [
        {"min_score": score, "min_joint_score": logit}
        | scores_of(truth, linked(method, found, min_score=score, min_joint_score=logit))
        for score in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
        for logit in (-1.0, 0.0, 1.0, 1.95, 3.0, 4.0, 5.0)
    ]
    rows.sort(key=lambda row: -row["mAP"] - row["MOTA"])
    save(FILE, "settings", rows[:10], videos=len(truth))
    card = path_of(subject.options.weights).with_suffix(".json")
    document = json.loads(card.read_text())
    document["settings"] = document.get("settings", {}) | {
        name: rows[0][name] for name in ("min_score", "min_joint_score")
    }
    card.write_text(json.dumps(document, indent=2) + "\n")
    print(f"the best are in {card}")


def study_matcher(subject: Subject) -> None:
    """Table 2: Hungarian against greedy."""
    method, truth, found = subject.method, subject.truth, subject.found
    rows = [
        {"matcher": name, **scores_of(truth, linked(method, found, matcher=name))} for name in ("hungarian", "greedy")
    ]
    save(FILE, "matcher", rows, videos=len(truth))


def study_perfect(subject: Subject) -> None:
    """Table 4: perfect association, perfect keypoints, both."""
    method, truth, found = subject.method, subject.truth, subject.found
    tracks = linked(method, found)
    joints = perfect(perfect_keypoints, tracks, truth)
    rows = [
        {"": "ours", **scores_of(truth, tracks)},
        {"": "perfect association", **scores_of(truth, perfect(perfect_association, tracks, truth))},
        {"": "perfect keypoints", **scores_of(truth, joints)},
        {"": "both", **scores_of(truth, perfect(perfect_association, joints, truth))},
    ]
    save(FILE, "perfect", rows, videos=len(truth))


def study_cost(subject: Subject) -> None:
    """Table 3: what two detections are compared by."""
    method, truth, found = subject.method, subject.truth, subject.found
    paper = {"lookback": 1, "max_cost": None}
    costs: dict[str, dict[str, Any]] = {
        "box overlap": {"cost": "iou"},
        "PCKh": {"cost": "pckh"},
        "OKS": {"cost": "oks"},
        "LSTM": {"cost": "lstm"},
        "box overlap, four frames back": {"cost": "iou", "lookback": 4, "max_cost": 0.9},
        "LSTM, four frames back": {"cost": "lstm", "lookback": 4, "max_cost": 0.9},
    }
    rows = [
        {"cost": name, **scores_of(truth, linked(method, found, **paper | settings))}
        for name, settings in costs.items()
    ]
    features = {name: crops_of(method, subject.films[name], method.large(found[name])) for name in tqdm(truth, "crops")}
    for title, weights in (("CNN features of crops", (0, 0, 1)), ("all combined", (1, 1, 1))):
        tracks = {name: link_by_sum(method, found[name], features[name], weights) for name in truth}
        rows.insert(len(rows) - 3, {"cost": title, **scores_of(truth, tracks)})
    title = "ptfast.link's defaults: OKS, velocity, four frames back"
    rows.append({"cost": title, **scores_of(truth, ours(method, found))})
    save(FILE, "cost", rows, videos=len(truth))


def crops_of(method: DetectAndTrack, film: Film, poses: Poses) -> torch.Tensor:
    """(N, C) features of the crops of a film's detections."""
    frames = [
        crop_features(method.model, film.image(frame)[None], poses.frame(frame).boxes) for frame in range(len(film))
    ]
    return torch.cat(frames)


def link_by_sum(method: DetectAndTrack, found: Poses, features: torch.Tensor, weights: tuple) -> Poses:
    """The paper's linking by a weighted sum of overlap, pose and appearance."""
    poses = replace(method.large(found), features={"appearance": features})
    settings = {name: getattr(method.config, name) for name in ("min_score", "min_joint_score")}
    cost = weighted_cost(*weights)
    return method.finish(link(poses, cost=cost, lookback=1, max_cost=None, motion="none", **settings))


def study_windows(subject: Subject) -> None:
    """Dense against chunked windows: how well, how fast."""
    method, truth, rows = subject.method, subject.truth, []
    frames = {name: list(film) for name, film in subject.films.items()}  # drawn before anything is timed
    for windowing, batch in (("dense", 8), ("chunked", 8), ("chunked", 32)):
        other = with_settings(method, windowing=windowing, batch=batch)
        started = time.perf_counter()
        tracks = {
            name: replace(other.track(shown), frame_names=truth[name].frame_names) for name, shown in frames.items()
        }
        spent = time.perf_counter() - started
        title = windowing if windowing == "dense" else f"chunks of {batch + method.config.frames - 1} frames"
        rate = round(sum(map(len, frames.values())) / spent, 1)
        rows.append({"windows": title, **scores_of(truth, tracks), "frames/s": rate})
    save(FILE, "windows", rows, videos=len(truth), threads=subject.options.threads)


def study_initialisation(subject: Subject) -> None:
    """Table 6: three networks from the same 2D weights, by as many steps on as many frames."""
    method, truth, rows = subject.method, subject.truth, []
    flat = DetectAndTrack.load("detect-and-track-2d").model
    for title, kind in (("2D", "none"), ("3D, center", "center"), ("3D, mean", "mean")):
        config = study_config(method, flat, kind, subject.options.steps)
        start = flat.state_dict()
        if kind != "none":
            start = inflate(start, kind, MaskRcnn3d(config.architecture))
        with tempfile.TemporaryDirectory() as folder:
            data = SyntheticClips(config.frames, seed=STUDY_SEED)
            model, _ = train(mask_rcnn_task(config), data, Path(folder), workers=subject.options.workers, start=start)
        other = DetectAndTrack(model, method.skeleton, replace(method.config, frames=config.frames))
        found = detect_all(other, subject.films)
        rows.append({"network": title, **scores_of(truth, linked(other, found))})
    save(FILE, "initialisation", rows, videos=len(truth), steps=subject.options.steps)


def study_config(method: DetectAndTrack, flat: MaskRcnn3d, kind: str, steps: int) -> MaskRcnnConfig:
    """A short training of a 2D network on single frames, or of a 3D one on a third as many clips of three."""
    config = replace(read_config("synthetic_3d"), steps=steps, drops=(steps * 2 // 3,), warm_up=20, epoch=steps)
    if kind == "none":
        return replace(config, frames=1, batch=3 * config.batch, initialise="none", architecture=flat.architecture)
    return replace(config, initialise=kind, architecture=method.model.architecture)


if __name__ == "__main__":
    main()
