"""ptfast track: from videos to files of tracks."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ptfast.cli._shared import command, device, plural
from ptfast.cli.methods import add_method, make_method
from ptfast.cli.track_video import draw, finished, track_video
from ptfast.io import FORMATS, find_videos, write_poses
from ptfast.structures import Poses

if TYPE_CHECKING:
    from ptfast.methods.base import Method

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
                poses = track_video(method, video, place, options, bar)
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


def check_format(method: Method[Any], place: Path, format: str | None) -> None:
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
