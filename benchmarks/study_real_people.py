"""Estimators side by side on real people: how well they find them, and in what time.

`python benchmarks/study_real_people.py` runs every part, writes benchmarks/results/real_people.json and the tables of
docs/real-people.md. Nothing is chosen here. `--part coco` and the like run some parts, the others' figures stay:

- coco: 79 pictures of COCO val2017, AP by pycocotools, of all people whom an estimator finds;
- lspet: 500 pictures of one person in a known box, the percentage of joints within a fifth of the torso: all 14, where
  head joints are extrapolated, and the 12 of the body;
- posetrack: 41 annotated frames of a sequence, through `Online`, by the official evaluator;
- videos: three videos without annotations, their ids a second.

It needs the data that PTFAST_DATA (default ../shared/data) holds, and pycocotools. A time is the processor's, on one
thread, of decoding and everything else, so that a busy machine does not count.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import make_tables
import numpy as np
import torch
from conftest import machine
from people_in_pictures import DATA, joints_in_boxes, needed, read_image, read_lspet
from real_people_scores import coco_average_precision, ids_in_video, pck_of, people_found
from studies import RESULTS, save
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.io import Frame, open_video, read_poses
from ptfast.methods import ClipTracking, DetectAndTrack, Online
from ptfast.methods.base import Method
from ptfast.pipeline import SinglePose, load_person_poses
from ptfast.pipeline.weights import load_movenet_weights
from ptfast.skeletons import COCO_17, POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.viz import contact_sheet

FILE = "real_people"
SEQUENCE = "470979_bonn"
VIDEOS = ("pedestrians.avi", "one_by_one.mp4", "street_5_frames.mp4")
IN_BOXES = ("movenet-thunder", "movenet-multipose", "clip-tracking-2d")


METHODS: dict[str, Callable[[], Method]] = {
    "multipose-448": lambda: Online.load(long_side=448),
    "multipose-640": lambda: Online.load(long_side=640),
    "nanodet-thunder": lambda: Online.load(detector="nanodet-g", pose="movenet-thunder"),
    "fast": lambda: Online.load(quality="fast"),
    "full": lambda: Online.load(quality="full"),
    "detect-and-track": DetectAndTrack.load,
    "clip-tracking": ClipTracking.load,
    "clip-tracking-thunder": lambda: ClipTracking.load("movenet-thunder", step=4),
}


def main() -> None:
    """Runs the parts, and writes the page."""
    parts = {"coco": study_coco, "lspet": study_lspet, "posetrack": study_posetrack, "videos": study_videos}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=parts, nargs="+", default=list(parts))
    parser.add_argument(
        "--methods", choices=METHODS, nargs="+", default=list(METHODS), help="all by default; the others' rows stay"
    )
    parser.add_argument("--frames", type=int, help="of each of the videos, from the first on; all by default")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="draw contact sheets there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.sheets is not None:
        options.sheets.mkdir(parents=True, exist_ok=True)
    for name in options.part:
        parts[name](options)
    make_tables.write_real_people()


def chosen(options: argparse.Namespace) -> list[tuple[str, Callable[[], Method]]]:
    """Names and loaders of the methods that are to run."""
    return [(name, METHODS[name]) for name in options.methods]


def with_others(section: str, rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """The rows, and those that the section's file has of other methods, in the methods' order."""
    path = RESULTS / f"{FILE}.json"
    before = json.loads(path.read_text()).get(section, {}).get("rows", []) if path.exists() else []
    every = {tuple(row[key] for key in keys): row for row in (*before, *rows)}
    order = {name: place for place, name in enumerate((*VIDEOS, *METHODS))}
    return [every[key] for key in sorted(every, key=lambda key: [order[name] for name in key])]


def milliseconds(start: float, count: int) -> int:
    """The processor's milliseconds for each of so many things since a start."""
    return round(1000 * (time.process_time() - start) / count)


def each_frame(method: Method, images: Iterable[np.ndarray]) -> Iterator[Poses]:
    """The people of images that have nothing to do with each other, before any threshold of linking."""
    for image in images:
        if isinstance(method, Online):
            yield from method.detect([image])
        else:
            yield method.track([image])


def study_coco(options: argparse.Namespace) -> None:
    """AP of every estimator on COCO's pictures."""
    folder = needed(DATA / "coco_mini")
    annotations = folder / "annotations" / "person_keypoints_val2017.json"
    pictures = json.loads(annotations.read_text())["images"]
    ids = {picture["id"]: folder / "val2017" / picture["file_name"] for picture in pictures}
    rows = []
    for name, load in chosen(options):
        method, start = load(), time.process_time()
        if isinstance(method, ClipTracking):  # it tracks nobody through a single picture
            continue
        images = (read_image(path) for path in tqdm(ids.values(), name, unit="picture"))
        found = [bare(poses) for poses in each_frame(method, images)]
        spent = milliseconds(start, len(ids))
        figures = coco_average_precision(annotations, Poses.concatenate(found), list(ids))
        shown = {column: figures[column] for column in ("AP", "AP50", "AR")}
        rows.append({"estimator": name} | shown | {"ms a picture": spent})
    save(FILE, "coco", with_others("coco", rows, "estimator"), machine=machine(), pictures=len(ids))


def bare(poses: Poses) -> Poses:
    """Poses that join with those of other pictures."""
    return replace(poses, frame_names=None, frame_ids=None, frame_size=None, features={})


def study_lspet(options: argparse.Namespace) -> None:
    """PCK of every pose network in known boxes."""
    pictures, rows = read_lspet(), []
    body = [joint for joint in pictures.joints if "head" not in joint]
    everyone, others = slice(None), slice(1, None, 2)  # who had no part in choosing the rule of head joints
    for name in IN_BOXES:
        network, start = in_boxes(name), time.process_time()
        joints = with_heads(network.skeleton, *joints_in_boxes(network, pictures, name))
        spent = milliseconds(start, len(pictures.paths))
        rows.append(
            {
                "network": name,
                "PCK, 14 joints": pck_of(pictures, joints, pictures.joints, ("left",), everyone),
                "PCK, 14 joints, every second picture": pck_of(pictures, joints, pictures.joints, ("left",), others),
                "PCK, 12 joints": pck_of(pictures, joints, body, ("left",), everyone),
                "PCK, 12 joints, longer diagonal": pck_of(pictures, joints, body, ("left", "right"), everyone),
                "ms a person": spent,
            }
        )
    save(FILE, "lspet", rows, machine=machine(), pictures=len(pictures.paths))


def with_heads(skeleton: Skeleton, keypoints: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
    """(N, 2) places of PoseTrack's joints by name; those of the head are extrapolated.

    Args:
        skeleton: The network's joints.
        keypoints: (N, K, 2).
        scores: (N, K).
    """
    people = Poses.from_frames([np.concatenate([keypoints, scores[..., None]], 2)], skeleton=skeleton)
    places = people.to_skeleton(POSETRACK_15).keypoints.swapaxes(0, 1)
    return dict(zip(POSETRACK_15.joints, places, strict=True))


def in_boxes(name: str) -> Any:
    """A pose network that sees a person's box; MultiPose, too, sees the box alone, enlarged to 256 pixels."""
    if name != "movenet-multipose":
        return load_person_poses(name)
    loaded = load_movenet_weights(name)
    return SinglePose(loaded.model, loaded.skeleton)


def study_posetrack(options: argparse.Namespace) -> None:
    """The official figures of every method on an annotated sequence."""
    folder = needed(DATA / "posetrack")
    truth = read_poses(needed(folder / "annotations" / "val" / f"{SEQUENCE}.json"))
    frames, rows = needed(folder / "images" / "val" / SEQUENCE), []
    for name, load in chosen(options):
        tracks, spent = tracked(load(), frames, None, name)
        tracks = replace(tracks, sequence=truth.sequence, frame_names=truth.frame_names, frame_ids=truth.frame_ids)
        figures = official(truth, tracks, "")
        if tracks.skeleton == COCO_17:
            bare_heads = tracks.to_skeleton(POSETRACK_15, extrapolate_head=False)
            figures |= official(truth, bare_heads, " without head joints")
        figures |= {"tracks": np.unique(tracks.track_ids).size, "ms a frame": spent}
        rows.append({"method": name} | people_found(truth, tracks) | figures)
        draw(options, tracks, frames, f"{SEQUENCE}, {name}")
    save(FILE, "posetrack", with_others("posetrack", rows, "method"), machine=machine(), frames=len(truth))


def official(truth: Poses, tracks: Poses, suffix: str) -> dict[str, float]:
    """The official evaluator's mAP and MOTA."""
    result = evaluate(truth, tracks)
    return {
        f"{name}{suffix}": round(float(figure[-1]), 1) for name, figure in (("mAP", result.ap), ("MOTA", result.mota))
    }


def study_videos(options: argparse.Namespace) -> None:
    """Ids of every method in videos."""
    rows = []
    for video in VIDEOS:
        path = needed(DATA / "video" / video)
        for name, load in chosen(options):
            tracks, spent = tracked(load(), path, options.frames, f"{video}, {name}")
            with open_video(path) as opened:
                seconds = len(tracks) / (opened.fps or 25)
            figures = ids_in_video(tracks, seconds) | {"ms a frame": spent}
            rows.append({"video": video, "method": name, "frames": len(tracks)} | figures)
            draw(options, tracks, path, f"{video}, {name}")
    save(FILE, "videos", with_others("videos", rows, "video", "method"), machine=machine())


def tracked(method: Method, source: Path, most: int | None, title: str) -> tuple[Poses, int]:
    """Tracks of the first frames of a video, at most so many, and the processor's milliseconds a frame."""
    start = time.process_time()
    tracks = method.track(first_images(source, most, title))
    return tracks, milliseconds(start, len(tracks))


def first_images(source: Path, most: int | None, title: str) -> Iterator[np.ndarray]:
    """The first images of a video or folder, behind a progress bar."""
    with open_video(source) as frames:
        yield from map(image, tqdm(islice(frames, most), title, unit="frame"))


def image(frame: Frame) -> np.ndarray:
    """A frame's image.

    Raises:
        ValueError: It could not be decoded.
    """
    if frame.image is None:
        raise ValueError(f"frame {frame.index} cannot be decoded")
    return frame.image


def draw(options: argparse.Namespace, tracks: Poses, source: Path, title: str) -> None:
    """A contact sheet of twelve frames, if it is wanted."""
    if options.sheets is not None:
        path = options.sheets / f"{title.replace(', ', '-').replace('.', '-')}.png"
        with open_video(source) as frames:
            contact_sheet(replace(tracks, sequence=title), path, frames=frames, columns=3, width=1500, progress=False)


if __name__ == "__main__":
    main()
