"""ptfast track: from videos to files of tracks."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from ptfast.cli._methods import add_method, files_of, make_method
from ptfast.cli._shared import command, device, plural
from ptfast.cli._spool import Spool
from ptfast.io import FORMATS, find_videos, open_video, write_poses
from ptfast.io.paths import IMAGES, files_in
from ptfast.structures import Poses

if TYPE_CHECKING:
    from tqdm import tqdm

    from ptfast.cli._methods import Method

SUFFIXES = (".json", ".csv", ".parquet", ".txt")


def add_track(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast track."""
    parser = command(commands, "track", _track, "Estimate and track the poses of people in videos.")
    parser.add_argument("video", nargs="+", help="video files, folders of frames, folders of videos, or globs")
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help="file to write, .json for PoseTrack 2018, .csv, .parquet, .txt; a folder for several videos",
    )  # fmt: skip
    parser.add_argument("--device", type=device, default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--render", type=Path, metavar="MP4", help="draw the tracks; a folder for several videos")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run stopped; of several videos, those that have their files are skipped",
    )  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")
    add_method(parser)


def _track(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    videos = find_videos(options.video)
    places = outputs(videos, options.out, SUFFIXES, ".json")
    renders = outputs(videos, options.render, (".mp4",), ".mp4") if options.render else [None] * len(videos)
    method = make_method(options, len(videos))
    check_format(method, places[0], options.format)
    started, tracked, frames, people, failed = time.perf_counter(), 0, 0, 0, 0
    for video, place, render in zip(videos, places, renders, strict=True):
        if options.resume and len(videos) > 1 and finished(place, render):
            tqdm.write(f"{video.name}: skipped, {place} is there", file=sys.stderr)
            continue
        try:
            with tqdm(desc=video.name, unit="frame", mininterval=0.5) as bar:
                poses = track_one(method, video, place, options, bar)
            if render is not None:
                draw(poses, video, render)
        except (ValueError, OSError) as error:
            if len(videos) == 1:
                raise
            tqdm.write(" ".join(f"ptfast track: {error}".split()), file=sys.stderr)
            failed += 1
            continue
        tracked, frames = tracked + 1, frames + len(poses)
        people += len({*poses.track_ids.tolist()} - {-1})
    if failed:
        raise ValueError(f"{failed} of {len(videos)} videos failed as said above; the others are in {options.out}")
    spent = time.perf_counter() - started
    print(f"{plural(tracked, 'video')}, {plural(frames, 'frame')}, {plural(people, 'track')} in {spent:.1f} s; "
          f"written to {options.out}" + (f" and {options.render}" if options.render else ""))  # fmt: skip


def outputs(videos: list[Path], out: Path, suffixes: tuple[str, ...], suffix: str) -> list[Path]:
    """A file for each video: `out` itself for one, or files in it named after the videos.

    Raises:
        ValueError: The suffix is unknown, several videos go to one file, two have the same name, or a file would
            replace its video.
    """
    if out.suffix and not out.is_dir() and out.suffix.lower() not in suffixes:
        raise ValueError(f"{out}: expected a folder or a name that ends in {', '.join(suffixes)}, got {out.suffix}")
    if len(videos) == 1 and out.suffix and not out.is_dir():
        places = [out]
    elif out.suffix or (out.exists() and not out.is_dir()):
        raise ValueError(f"{out}: expected a folder for {plural(len(videos), 'video')}")
    else:
        places = [out / f"{video.name if video.is_dir() else video.stem}{suffix}" for video in videos]
    for place, video in zip(places, videos, strict=True):
        if places.count(place) > 1:
            raise ValueError(f"{place}: expected videos of different names, found two that would be written there")
        if place.exists() and place.samefile(video):
            raise ValueError(f"{place}: expected another place than the video's, which would be replaced")
        place.parent.mkdir(parents=True, exist_ok=True)
    return places


def check_format(method: Method, place: Path, format: str | None) -> None:
    """Writes one pose for a trial, so that a format that cannot hold them is refused before hours of work."""
    joints = len(method.skeleton)
    pose = Poses(
        keypoints=np.zeros((1, joints, 2), np.float32),
        boxes=np.array([[0, 0, 1, 1]], np.float32),
        track_ids=np.zeros(1, np.int64),
        frame_offsets=np.array([0, 1]),
        frame_size=np.array([[1, 1]]),
        skeleton=method.skeleton,
    )
    with TemporaryDirectory() as folder:
        write_poses(pose, Path(folder) / f"trial{place.suffix}", format=format)


def partial_of(place: Path) -> Path:
    """Where the detections of a video stand until it has been tracked to its end."""
    return place.with_name(f"{place.name}.partial")


def finished(place: Path, render: Path | None) -> bool:
    """Whether an earlier run tracked a video to its end, and drew it if that is wanted."""
    return place.exists() and not partial_of(place).exists() and (render is None or render.exists())


def track_one(method: Method, path: Path, place: Path, options: argparse.Namespace, bar: tqdm) -> Poses:
    """Tracks a video into a file; if it is interrupted, what there is goes into the file."""
    spool = Spool(partial_of(place), describe(method, path, options))
    if not options.resume:
        spool.remove()
    done = sum(map(len, spool.stored()))
    try:
        detect_into(spool, method, path, done, bar)
    except KeyboardInterrupt:
        spool.flush()
        if next(spool.stored(), None) is None:
            raise
        frames = len(finish(method, spool.stored(), path, place, options))
        raise KeyboardInterrupt(
            f"{plural(frames, 'frame')} of {path.name} tracked, in {place}; --resume goes on from there"
        ) from None
    spool.flush()
    poses = finish(method, spool.stored(), path, place, options)
    spool.remove()
    return poses


def detect_into(spool: Spool, method: Method, path: Path, done: int, bar: tqdm) -> None:
    """Adds the detections of all frames from `done` on to the spool."""
    # A video's last frame, which may be the first that is missing, is the last of its clip.
    first = max(0, done - method.context)
    bar.update(done)
    with open_video(path, first=first) as video:
        bar.total = video.length
        for index, detections in enumerate(method.detect(video), first):
            if index < done:
                continue
            spool.add(detections)
            bar.set_postfix(people=method.count(detections), refresh=False)
            bar.update()


def finish(method: Method, parts: Iterator[Poses], path: Path, place: Path, options: argparse.Namespace) -> Poses:
    """Links all detections of a video and writes them."""
    first = next(parts, None)
    if first is None:
        raise ValueError(f"{path}: expected at least one frame, found none")
    name = path.name if path.is_dir() else path.stem
    poses = method.link(replace(part, sequence=name) for part in chain([first], parts))
    write_poses(poses, place, format=options.format)
    return poses


def describe(method: Method, path: Path, options: argparse.Namespace) -> dict[str, object]:
    """What the detections of a video depend on."""
    about: dict[str, object] = {"video": str(path.resolve()), "video's state": version(path)}
    for name, file in files_of(options).items():
        about |= {name: str(file.resolve()), f"{name}' state": version(file)}
    return about | {"method": options.method} | method.depends_on()


def version(path: Path) -> str:
    """What tells a file, or the images of a folder, from earlier ones of the same name."""
    states = [file.stat() for file in (files_in(path, IMAGES) if path.is_dir() else [path])]
    size, changed = sum(state.st_size for state in states), max(state.st_mtime_ns for state in states)
    return f"{plural(len(states), 'file')} of {size:,} bytes, changed at {changed / 1e9:.6f}"


def draw(poses: Poses, path: Path, target: Path) -> None:
    """Draws tracks over their video."""
    from ptfast import viz

    with open_video(path) as video:
        viz.render_video(poses, target, frames=video, fps=video.fps or 25.0)
