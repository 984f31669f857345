"""Shared parts of the studies of a method: its detections in films, perfect parts in their place, and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import make_test_set
import numpy as np
import torch
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.methods import DetectAndTrack
from ptfast.models.images import normalise_clips
from ptfast.ops import assign, iou_matrix, pckh_matrix
from ptfast.skeletons import POSETRACK_15
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import Film, render
from ptfast.training.data.clips import cut_clip

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"
TRAINING_SEED = 7_000_000  # of films under the test set's settings that the shipped weights have not been trained on


def films_with_names(films: Iterable[Film]) -> dict[str, Film]:
    """Films by the names of their sequences."""
    return {film.poses.sequence: film for film in films}


def films_from(first: int, videos: int) -> dict[str, Film]:
    """Films in the test set's settings that neither training nor the test set has."""
    settings = [
        {**make_test_set.setting(number % make_test_set.VIDEOS), "skeleton": POSETRACK_15} for number in range(videos)
    ]
    return films_with_names(render(first + number, **setting) for number, setting in enumerate(settings))


def truth_of(films: dict[str, Film]) -> dict[str, Poses]:
    """Their annotated poses."""
    return {name: film.poses for name, film in films.items()}


def detect_all(method: DetectAndTrack, films: dict[str, Film]) -> dict[str, Poses]:
    """Stage 1 on every film: detections without ids, under the names that the truth has."""
    found = {}
    for name, film in tqdm(films.items(), desc="detecting", unit="film"):
        poses = Poses.concatenate(list(method.detect(film)))
        found[name] = replace(poses, sequence=name, frame_names=film.poses.frame_names)
    return found


def detect_in_perfect_boxes(method: DetectAndTrack, films: dict[str, Film]) -> dict[str, Poses]:
    """The network's joints in the annotated people's boxes, with ids of the truth, joint scores as `finish` gives."""
    return {name: in_perfect_boxes(method, film) for name, film in tqdm(films.items(), desc="perfect boxes")}


@torch.inference_mode()
def in_perfect_boxes(method: DetectAndTrack, film: Film) -> Poses:
    """detect_in_perfect_boxes of one film."""
    length, parts = method.config.frames, []
    for frame in range(len(film)):
        first = min(max(frame - length // 2, 0), len(film) - length)
        window = range(first, first + length)
        images = np.stack([film.image(index) for index in window])
        clip = cut_clip(images, film.poses, window)
        rows = np.flatnonzero(clip.present[:, frame - first])
        boxes = torch.from_numpy(clip.tubes[rows])
        clips = normalise_clips(
            torch.from_numpy(images)[None],
            multiple=max(method.model.strides),
            mean=method.model.architecture.image_mean,
        )
        with method.detector.autocast():
            features = method.model.features(clips)
            heatmaps = method.model.heatmaps(features, boxes, torch.zeros(len(rows), dtype=torch.int64))
        places, logits = method.detector.decode(heatmaps[:, :, frame - first], boxes[:, frame - first])
        shown = film.poses.frame(frame)
        same = clip.keypoints[rows, frame - first][:, None] == shown.keypoints[None]
        parts.append(
            Poses(
                keypoints=places.numpy(),
                joint_scores=logits.numpy(),
                boxes=boxes[:, frame - first].numpy(),
                scores=np.ones(len(rows), np.float32),
                track_ids=shown.track_ids[same.all((2, 3)).argmax(1)],
                frame_offsets=np.array([0, len(rows)]),
                skeleton=film.poses.skeleton,
                frame_names=shown.frame_names,
            )
        )
    return replace(Poses.concatenate(parts), sequence=film.poses.sequence)


def perfect_association(tracks: Poses, truth: Poses) -> Poses:
    """The tracks with the ids of the people whom they find most joints of; of nobody's, each with an id of its own."""
    ids = np.arange(len(tracks.scores)) + 1 + truth.track_ids.max(initial=-1)
    for frame in range(len(truth)):
        found, people = tracks.frame(frame), truth.frame(frame)
        shares = pckh_matrix(
            found.keypoints,
            people.keypoints,
            head_sizes=head_sizes(people),
            a_visible=found.joint_visibility > 0,
            b_visible=people.joint_visibility > 0,
        )
        person = assign(1 - shares, max_cost=0.999)
        rows = np.arange(tracks.frame_offsets[frame], tracks.frame_offsets[frame + 1])
        ids[rows[person >= 0]] = people.track_ids[person[person >= 0]]
    return tracks.with_track_ids(small_ids(ids))


def small_ids(ids: np.ndarray) -> np.ndarray:
    """The same ids numbered from 0."""
    return np.unique(ids, return_inverse=True)[1]


def perfect_keypoints(tracks: Poses, truth: Poses) -> Poses:
    """The tracks with the joints of the people whose boxes they overlap by half or more."""
    keypoints, visibility = tracks.keypoints.copy(), tracks.joint_visibility.copy()
    for frame in range(len(truth)):
        found, people = tracks.frame(frame), truth.frame(frame)
        person = assign(1 - iou_matrix(found.boxes, people.boxes), max_cost=0.5)
        rows = np.arange(tracks.frame_offsets[frame], tracks.frame_offsets[frame + 1])[person >= 0]
        keypoints[rows] = people.keypoints[person[person >= 0]]
        visibility[rows] = people.joint_visibility[person[person >= 0]]
    scores = np.where(visibility > 0, tracks.scores[:, None], np.float32(0))
    return replace(tracks, keypoints=keypoints, joint_visibility=visibility, joint_scores=scores)


def named(tracks: Poses, truth: Poses) -> Poses:
    """Tracks under the names of the truth."""
    return replace(tracks, sequence=truth.sequence, frame_names=truth.frame_names)


def scores_of(
    truth: dict[str, Poses], tracks: dict[str, Poses], min_joint_score: float | None = None
) -> dict[str, float]:
    """The official evaluator's total figures; joints with lower scores are left out of all but mAP."""
    result = evaluate(truth, tracks, mota_min_joint_score=min_joint_score)
    names = {"mAP": "ap", "MOTA": "mota", "MOTP": "motp", "precision": "precision", "recall": "recall"}
    figures = {name: round(float(getattr(result, column)[-1]), 2) for name, column in names.items()}
    return figures | {"switches": int(result.switches[-1])}


def save(file: str, section: str, rows: Sequence[dict[str, Any]], **about: Any) -> None:
    """Writes a section of results/<file>.json; the others stay."""
    path = RESULTS / f"{file}.json"
    document = json.loads(path.read_text()) if path.exists() else {}
    document[section] = {**about, "rows": list(rows)}
    path.write_text(json.dumps(document, indent=1) + "\n")
    print(markdown(rows))
    print(f"figures are in {path}")


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row.get(name, "")) for name in names] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
