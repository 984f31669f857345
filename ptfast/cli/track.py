"""ptfast track: from videos to files of tracks."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from ptfast._check import check_integer
from ptfast.cli._endings import note, said
from ptfast.cli._shared import check_output, command, device, plural
from ptfast.cli.lock import only_run
from ptfast.cli.losses import Loss, joined, report
from ptfast.cli.methods import add_method, make_method
from ptfast.cli.sources import Source, find_sources
from ptfast.cli.track_video import draw, finished, track_video
from ptfast.cli.unseen import drawn_people_alone
from ptfast.io import FORMATS, write_poses
from ptfast.structures import Poses

if TYPE_CHECKING:
    from ptfast.methods.base import Method

SUFFIXES = (".json", ".csv", ".parquet", ".txt")
PEOPLE = ("detection", "pose", "linked pose")  # nouns of losses


def add_track(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast track."""
    parser = command(commands, "track", _track, "Estimate and track the poses of people in videos.")
    parser.add_argument(
        "video", nargs="+",
        help="video files, folders of frames, folders of videos, or globs; or, alone, a camera's number, the address "
        "of a stream (rtsp://, http://, ...), - for Y4M, Matroska or MPEG-TS from standard input",
    )  # fmt: skip
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help="file to write, .json for PoseTrack 2018, .csv, .parquet, .txt; a folder for several videos, with folders "
        "in it like theirs where two have one name",
    )  # fmt: skip
    parser.add_argument("--device", type=device, default="cpu", help="cpu, cuda, cuda:1, ...")
    parser.add_argument("--limit", type=int, metavar="N", help="end after so many frames of each video")
    parser.add_argument("--show", action="store_true", help="show the tracks in a window; q in it ends the video")
    parser.add_argument("--render", type=Path, metavar="MP4", help="draw the tracks; a folder for several videos")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run stopped; of several videos, those that have their files are skipped",
    )  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")
    add_method(parser)


def _track(options: argparse.Namespace) -> None:
    sources = find_sources(options.video)
    check_together(sources, options)
    places = outputs(sources, options.out, SUFFIXES, ".json")
    renders = outputs(sources, options.render, (".mp4",), ".mp4") if options.render else [None] * len(sources)
    method = make_method(options, len(sources))
    check_format(method, places[0], options.format)
    started, results, failed = time.perf_counter(), [], 0
    for source, place, render in zip(sources, places, renders, strict=True):
        if options.resume and len(sources) > 1 and finished(place, render):
            note(f"{source.title}: skipped, {place} is there")
            continue
        try:
            results.append(_track_one(method, source, place, render, options))
        except (ValueError, OSError) as error:
            if len(sources) == 1:
                raise
            note(f"ptfast track: {said(error)}")
            failed += 1
    frames, people, losses, empty = zip(*results, strict=True) if results else ((), (), (), ())
    spent = time.perf_counter() - started
    summary = f"{plural(len(frames), 'video')}, {plural(sum(frames), 'frame')}, {plural(sum(people), 'track')} in "
    summary += f"{spent:.1f} s; written to {options.out}" + (f" and {options.render}" if options.render else "")
    report("track", [joined(kind) for kind in zip(*losses, strict=True)], summary)
    for line in (*filter(None, empty), *drawn_people_alone(options)):
        note(f"ptfast track: {line}")
    if failed:
        raise ValueError(f"{failed} of {len(sources)} videos failed as said above; the others are in {options.out}")


def _track_one(
    method: Method[Any], source: Source, place: Path, render: Path | None, options: argparse.Namespace
) -> tuple[int, int, list[Loss], str]:
    """Tracks a video, alone on its files.

    Returns:
        The numbers of its frames and tracks, what was left out, and a line for the end where nobody was found.
    """
    from tqdm import tqdm

    with ExitStack() as locks:
        for target in (place, *([] if render is None else [render])):
            check_output(target)
            locks.enter_context(only_run(target))
        with tqdm(desc=source.title, unit="frame", mininterval=0.5) as bar:
            poses, losses = track_video(method, source, place, options, bar)
        people = len({*poses.track_ids.tolist()} - {-1})
        if render is not None and source.path is not None:
            draw(poses, source.path, render)
    frames, dropped = plural(len(poses), "frame"), any(loss.count for loss in losses if loss.noun in PEOPLE)
    what = f"of those who were found in {frames}, nobody is left" if dropped else f"nobody was found in {frames}"
    return len(poses), people, losses, "" if people else f"{source.label}: {what}; {place} has no tracks"


def check_together(sources: list[Source], options: argparse.Namespace) -> None:
    """Raises ValueError for options that do not go with each other or with a live source."""
    if options.limit is not None:
        check_integer("--limit", options.limit, 1)
    live = [source for source in sources if source.path is None]
    for flag, given in (("--resume", options.resume), ("--render", options.render)):
        if live and given:
            raise ValueError(f"{flag} needs a video that can be read again, which {live[0].label} cannot")


def outputs(sources: list[Source], out: Path, suffixes: tuple[str, ...], suffix: str) -> list[Path]:
    """A file for each video: `out` itself for one, or files in it named after the videos.

    Where two videos of different folders have one name, all files stand in folders as the videos do, from the folder
    that holds all of them on.

    Raises:
        ValueError: The suffix is unknown, several videos go to one file, two of one folder have the same name, or a
            file would replace its video.
        OSError: A file cannot be written.
    """
    if out.suffix and not out.is_dir() and out.suffix.lower() not in suffixes:
        raise ValueError(f"{out}: expected a folder or a name that ends in {', '.join(suffixes)}, got {out.suffix}")
    if len(sources) == 1 and out.suffix and not out.is_dir():
        places = [out]
    elif out.suffix or (out.exists() and not out.is_dir()):
        raise ValueError(f"{out}: expected a folder for {plural(len(sources), 'video')}")
    else:
        places = _in_folder(sources, out, suffix)
    for place, source in zip(places, sources, strict=True):
        if places.count(place) > 1:
            raise ValueError(f"{place}: expected videos of different names, found two that would be written there")
        if source.path is not None and place.exists() and place.samefile(source.path):
            raise ValueError(f"{place}: expected another place than the video's, which would be replaced")
        check_output(place)
        place.parent.mkdir(parents=True, exist_ok=True)
    return places


def _in_folder(sources: list[Source], out: Path, suffix: str) -> list[Path]:
    """A file of a folder for each video, in folders like theirs where names alone would be the same."""
    names = [f"{source.name}{suffix}" for source in sources]
    if len(set(names)) == len(names):
        return [out / name for name in names]
    folders = [os.path.dirname(os.path.abspath(source.given)) for source in sources]
    common = os.path.commonpath(folders)
    return [out / os.path.relpath(folder, common) / name for folder, name in zip(folders, names, strict=True)]


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
