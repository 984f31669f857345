"""Clip tracking on synthetic videos: the test set, and the paper's studies in kind.

    python benchmarks/study_clip_tracking.py settings     thresholds for the weights' card, on training seeds
    python benchmarks/study_clip_tracking.py test-set     the 20 videos of ptfast.synthetic.load_test_set()
    python benchmarks/study_clip_tracking.py components   table 7 of the paper
    python benchmarks/study_clip_tracking.py recall       table 9
    python benchmarks/study_clip_tracking.py length       figure 5a
    python benchmarks/study_clip_tracking.py step         figure 5b
    python benchmarks/study_clip_tracking.py filters      table 8: trains four networks, --steps each

Several studies can be named at once, which then share their tracklets. All but the settings and the test set run
on validation videos. Figures go to benchmarks/results/clip_tracking.json; `python benchmarks/make_tables.py` writes
them and the plots into docs/clip-tracking.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from studies import TRAINING_SEED, films_from, films_with_names, named, save, scores_of, truth_of
from tqdm import tqdm

from ptfast._columns import frame_of_rows
from ptfast.evaluation.thresholds import learn_joint_thresholds
from ptfast.methods import ClipTracking, DetectAndTrack
from ptfast.methods.clip_tracking import Config
from ptfast.models import Hrnet, inflate
from ptfast.ops import iou_matrix, oks_nms
from ptfast.pipeline import FrameTracklets, TubePoses
from ptfast.pipeline.weights import path_of
from ptfast.structures import Poses
from ptfast.synthetic import Film, load_test_set
from ptfast.synthetic.splits import VALIDATION_SEEDS
from ptfast.tracking import link
from ptfast.training.loop import train
from ptfast.training.pose import RECIPE, pose_task, read_config
from ptfast.training.recipe import Source

FILE = "clip_tracking"
STUDY_SEED = 4_000_000  # of training films for the study of filters
BOXES = (0.5, 0.7, 0.8, 0.9)  # thresholds on detections that are tried
SAME = 0.5  # OKS from which two hypotheses are one person's, for the row without linking


def main() -> None:
    """Runs the studies."""
    studies = {
        "settings": study_settings,
        "test-set": study_test_set,
        "components": study_components,
        "recall": study_recall,
        "length": study_length,
        "step": study_step,
        "filters": study_filters,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=studies, nargs="+")
    parser.add_argument("--weights", default="clip-tracking")
    parser.add_argument("--flat", default="clip-tracking-2d", help="weights of the single-frame network beside it")
    parser.add_argument("--detector", default="detect-and-track")
    parser.add_argument("--videos", type=int, default=8, help="validation videos of 64 frames")
    parser.add_argument("--steps", type=int, default=150, help="of each training for filters")
    parser.add_argument("--workers", type=int, default=1, help="processes that make its clips")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    subject = Subject(options)
    for name in options.study:
        studies[name](subject)


class Subject:
    """The method under study and what it cuts out of the validation videos, once for all studies."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options

    @cached_property
    def detector(self) -> DetectAndTrack:
        """The method whose network is the person detector of all rows."""
        return DetectAndTrack.load(self.options.detector)

    @cached_property
    def method(self) -> ClipTracking:
        """Clip tracking."""
        return ClipTracking.load(self.options.weights, detector=self.detector.detector)

    @cached_property
    def flat(self) -> ClipTracking:
        """The single-frame network, which gives tracklets of one frame."""
        boxes = self.detector.detector
        return ClipTracking.load(self.options.flat, detector=boxes, frames=1, merging={"min_length": 1})

    @cached_property
    def films(self) -> dict[str, Film]:
        """The validation videos."""
        return films_from(VALIDATION_SEEDS + 200, self.options.videos)

    @cached_property
    def truth(self) -> dict[str, Poses]:
        """Their people."""
        return truth_of(self.films)

    @cached_property
    def cut(self) -> dict[str, FrameTracklets]:
        """The tracklets of every frame as key frame."""
        return cut_all(self.method, self.films)


def cut_all(method: ClipTracking, films: dict[str, Film]) -> dict[str, FrameTracklets]:
    """Tracklets of every film, by `detect`."""
    shown = tqdm(films.items(), desc="cutting", unit="film")
    return {name: FrameTracklets.concatenate(list(method.detect(film))) for name, film in shown}


def as_poses(cut: FrameTracklets) -> Poses:
    """The tracklets as the poses of their key frames, T rows each."""
    tracklets = cut.tracklets
    m, t, k = tracklets.keypoints.shape[:3]
    return Poses(
        keypoints=tracklets.keypoints.reshape(m * t, k, 2),
        joint_scores=tracklets.joint_scores.reshape(m * t, k),
        boxes=tracklets.boxes.repeat(t, 0),
        scores=tracklets.scores.repeat(t),
        frame_offsets=cut.frame_offsets * t,
        skeleton=tracklets.skeleton,
        frame_names=cut.frame_names,
        frame_ids=cut.frame_ids,
        frame_size=cut.frame_size,
    )


def sewn(
    method: ClipTracking, cut: dict[str, FrameTracklets], truth: dict[str, Poses], **merging: Any
) -> dict[str, Poses]:
    """Stages 2 and 3 on every film, under the names that the truth has."""
    other = with_settings(method, merging=replace(method.config.merging, **merging))
    return {name: named(other.link(poses), truth[name]) for name, poses in cut.items()}


def with_settings(method: ClipTracking, **settings: Any) -> ClipTracking:
    """The same networks with other settings."""
    config = replace(method.config, **settings)
    return ClipTracking(method.network, method.detector, skeleton=method.skeleton, config=config)


def greedy_oks(method: ClipTracking, cut: dict[str, FrameTracklets], truth: dict[str, Poses]) -> dict[str, Poses]:
    """The paper's baseline, oks-gbm: a single-frame network's poses, matched greedily by OKS with the frame before."""
    thresholds = np.asarray(method.config.merging.joint_thresholds, np.float32)
    tracks = {}
    for name, records in cut.items():
        poses = as_poses(records)
        seen = np.where(poses.joint_scores >= thresholds, poses.joint_visibility, 0).astype(np.uint8)
        shown = replace(poses, joint_visibility=seen)
        linked = link(
            shown, cost="oks", matcher="greedy", lookback=1, motion="none", max_cost=0.7, min_score=None,
            min_joint_score=None,
        )  # fmt: skip
        tracks[name] = named(linked, truth[name])
    return tracks


def study_settings(subject: Subject) -> None:
    """Thresholds for both networks' cards, chosen on videos of training seeds by the sum of mAP and MOTA."""
    films = films_from(TRAINING_SEED, subject.options.videos)
    truth = truth_of(films)
    for method, weights in ((subject.method, subject.options.weights), (subject.flat, subject.options.flat)):
        cut, rows, found = cut_all(with_settings(method, min_box_score=BOXES[0]), films), [], {}
        for box in BOXES:
            kept = {name: records.select(records.tracklets.scores >= box) for name, records in cut.items()}
            learnt = learn_joint_thresholds(truth, tracked(method, kept, truth, 0.0))
            for title, joints in (*((str(x), x) for x in (0.1, 0.2, 0.3, 0.4)), ("learnt", tuple(learnt.tolist()))):
                found[box, title] = joints
                row = {"min_box_score": box, "joint thresholds": title}
                rows.append(row | scores_of(truth, tracked(method, kept, truth, joints)))
        rows.sort(key=lambda row: -row["mAP"] - row["MOTA"])
        save(FILE, f"settings of {weights}", rows[:8], videos=len(films))
        best = rows[0]["min_box_score"], rows[0]["joint thresholds"]
        write_card(path_of(weights).with_suffix(".json"), best[0], found[best])


def tracked(
    method: ClipTracking, cut: dict[str, FrameTracklets], truth: dict[str, Poses], joints: Any
) -> dict[str, Poses]:
    """Tracks with these thresholds on joints, of a clip network's tracklets or a single-frame one's."""
    if method.config.frames > 1:
        return sewn(method, cut, truth, joint_thresholds=joints)
    return greedy_oks(
        with_settings(method, merging=replace(method.config.merging, joint_thresholds=joints)), cut, truth
    )


def write_card(card: Path, box: float, joints: float | tuple[float, ...]) -> None:
    """Puts the best settings into a card."""
    document = json.loads(card.read_text())
    settings = document.get("settings", {})
    merging = settings.get("merging", {}) | {"joint_thresholds": joints}
    document["settings"] = settings | {"min_box_score": box, "merging": merging}
    card.write_text(json.dumps(document, indent=2) + "\n")
    print(f"the best are in {card}")


def study_test_set(subject: Subject) -> None:
    """The test set: Detect-and-Track, the single-frame network, and clip tracking, all with one detector."""
    films = films_with_names(load_test_set())
    truth = truth_of(films)
    detector = {name: subject.detector.track(film) for name, film in tqdm(films.items(), desc="Detect-and-Track")}
    cut = cut_all(subject.method, films)
    rows = [
        {"tracks": "Detect-and-Track", **scores_of(truth, {n: named(p, truth[n]) for n, p in detector.items()})},
        {
            "tracks": "2D HRNet, greedy OKS (oks-gbm)",
            **scores_of(truth, greedy_oks(subject.flat, cut_all(subject.flat, films), truth)),
        },
        *(
            {"tracks": f"clip tracking, merge {merge}"}
            | scores_of(truth, sewn(subject.method, cut, truth, merge=merge))
            for merge in ("highest", "spatiotemporal")
        ),
    ]
    save(FILE, "test-set", rows, weights=subject.options.weights, detector=subject.options.detector)


def study_components(subject: Subject) -> None:
    """Table 7: linking and merging."""
    truth, method = subject.truth, subject.method
    flat = cut_all(subject.flat, subject.films)
    unlinked = {name: named(without_linking(cut, method.config), truth[name]) for name, cut in subject.cut.items()}
    rows = [
        {"network": "2D", "linking": "oks-gbm", "merge": "", **scores_of(truth, greedy_oks(subject.flat, flat, truth))},
        {
            "network": "3D",
            "linking": "none, OKS-NMS",
            "merge": "",
            "mAP": scores_of(truth, unlinked)["mAP"],
        },
        *(
            {"network": "3D", "linking": "tracklets", "merge": merge}
            | scores_of(truth, sewn(method, subject.cut, truth, merge=merge))
            for merge in ("highest", "spatial", "temporal", "spatiotemporal")
        ),
    ]
    save(FILE, "components", rows, videos=len(truth))


def without_linking(records: FrameTracklets, config: Config) -> Poses:
    """Every frame's hypotheses of all clips, less those that are another one's duplicates."""
    cut = as_poses(records)
    length, thresholds = config.frames, np.asarray(config.merging.joint_thresholds, np.float32)
    sigmas = np.array(cut.skeleton.sigmas, np.float32)
    frames: list[list[np.ndarray]] = [[] for _ in range(len(cut))]
    for key in range(len(cut)):
        rows = np.arange(cut.frame_offsets[key], cut.frame_offsets[key + 1]).reshape(-1, length)
        for place in range(length):
            if 0 <= (frame := key - length // 2 + place) < len(cut):
                frames[frame].append(rows[:, place])
    seen = (cut.joint_scores > 0) & (cut.joint_scores >= thresholds)
    scores = cut.scores * (np.where(seen, cut.joint_scores, 0).sum(1) / np.maximum(seen.sum(1), 1))
    kept = []
    for parts in frames:
        rows = np.concatenate(parts)
        low, high = cut.keypoints[rows].min(1), cut.keypoints[rows].max(1)
        areas = np.maximum((high - low).prod(1), 1.0)
        kept.append(rows[oks_nms(cut.keypoints[rows], scores[rows], areas, sigmas, SAME)])
    rows = np.concatenate(kept)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in kept])])
    return Poses(
        keypoints=cut.keypoints[rows], joint_scores=cut.joint_scores[rows],
        joint_visibility=np.where(seen[rows], 2, 0).astype(np.uint8), scores=scores[rows],
        track_ids=np.concatenate([np.arange(len(part)) for part in kept]), frame_offsets=offsets, skeleton=cut.skeleton,
    )  # fmt: skip


def study_recall(subject: Subject) -> None:
    """Table 9: people whom the detector finds, and whom tracks have; boxes of poses are the extents of their joints."""
    truth, rows = subject.truth, []
    everything = {"joint_thresholds": 0.0, "min_length": 1}
    single = with_settings(subject.method, frames=1, merging=replace(subject.method.config.merging, min_length=1))
    for score in (subject.method.config.min_box_score, 0.9):
        cut = {name: records.select(records.tracklets.scores >= score) for name, records in subject.cut.items()}
        keys = {name: key_frames(records) for name, records in cut.items()}
        rows.append(
            {
                "detections from": score,
                "detector's boxes": recall(truth, {name: as_poses(records) for name, records in keys.items()}),
                "poses in them": recall(truth, sewn(single, keys, truth, **everything)),
                "poses with propagation": recall(truth, sewn(subject.method, cut, truth, **everything)),
            }
        )
    save(FILE, "recall", rows, videos=len(truth))


def key_frames(cut: FrameTracklets) -> FrameTracklets:
    """The tracklets' poses in their key frames alone."""
    tracklets, middle = cut.tracklets, cut.tracklets.keypoints.shape[1] // 2
    centre = slice(middle, middle + 1)
    return replace(
        cut,
        tracklets=replace(
            tracklets,
            keypoints=tracklets.keypoints[:, centre],
            joint_scores=tracklets.joint_scores[:, centre],
            first_frame=tracklets.first_frame + middle,
        ),
    )


def recall(truth: dict[str, Poses], found: dict[str, Poses]) -> float:
    """Percentage of people whose box one of the frame's boxes overlaps by half or more."""
    hit = total = 0
    for name, people in truth.items():
        for frame in range(len(people)):
            overlaps = iou_matrix(people.frame(frame).boxes, found[name].frame(frame).boxes)
            hit += int((overlaps.max(1, initial=0) >= 0.5).sum())
            total += len(overlaps)
    return round(100 * hit / total, 2)


def study_length(subject: Subject) -> None:
    """Figure 5a: the clip length |C|; 1 is the single-frame network with greedy linking."""
    truth = subject.truth
    flat = cut_all(subject.flat, subject.films)
    rows = [{"|C|": 1, **scores_of(truth, greedy_oks(subject.flat, flat, truth))}]
    for length in (3, 5, 7, 9, 11, 13):
        other = with_settings(subject.method, frames=length)
        cut = subject.cut if length == subject.method.config.frames else cut_all(other, subject.films)
        rows.append({"|C|": length, **scores_of(truth, sewn(other, cut, truth))})
    save(FILE, "length", rows, videos=len(truth))


def study_step(subject: Subject) -> None:
    """Figure 5b: the step S between key frames."""
    truth, rows = subject.truth, []
    for step in range(1, 9):
        cut = {name: every(records, step, subject.method.config.frames // 2) for name, records in subject.cut.items()}
        rows.append({"S": step, **scores_of(truth, sewn(subject.method, cut, truth))})
    save(FILE, "step", rows, videos=len(truth))


def every(cut: FrameTracklets, step: int, reach: int) -> FrameTracklets:
    """The tracklets of every step-th key frame, and of the last one where no other reaches it, as the method has it."""
    frame, last = frame_of_rows(cut.frame_offsets), len(cut) - 1
    return cut.select((frame % step == 0) | ((frame == last) & (last % step > reach)))


def study_filters(subject: Subject) -> None:
    """Table 8: stages with 3D filters; four networks from the same 2D weights, by as many steps."""
    truth, rows = subject.truth, []
    for stages in ("none", "early", "last", "all"):
        config = read_config("synthetic_pose_3d")
        config = replace(
            config, steps=subject.options.steps, drops=(subject.options.steps * 2 // 3,), warm_up=20,
            epoch=subject.options.steps, seed=STUDY_SEED,
            architecture=replace(config.architecture, temporal_stages=stages),
        )  # fmt: skip
        start = inflate(subject.flat.network.model.state_dict(), config.initialise, Hrnet(config.architecture))
        with tempfile.TemporaryDirectory() as folder:
            task, data = pose_task(config), RECIPE.data(config, Source("synthetic"))
            model, _ = train(task, data, Path(folder), workers=subject.options.workers, start=start)
        usual = subject.method.network
        network = TubePoses(model, config.size, flip=usual.flip, refine=usual.refine)
        other = ClipTracking(network, subject.detector.detector, config=subject.method.config)
        rows.append({"3D filters": stages, **scores_of(truth, sewn(other, cut_all(other, subject.films), truth))})
    save(FILE, "filters", rows, videos=len(truth), steps=subject.options.steps)


if __name__ == "__main__":
    main()
