"""Tracking one video into a file, which may be interrupted and resumed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ptfast.cli._endings import said
from ptfast.cli._shared import in_text, plural
from ptfast.cli.losses import Loss
from ptfast.cli.methods import files_of, link_records, linker_of, links_one_by_one
from ptfast.cli.sources import Source
from ptfast.cli.spool import Spool
from ptfast.cli.unheld import unheld
from ptfast.io import open_video, write_poses
from ptfast.io.paths import IMAGES, files_in
from ptfast.structures import Poses

if TYPE_CHECKING:
    from tqdm import tqdm

    from ptfast.cli.window import Window
    from ptfast.methods.base import Method

AHEAD = 8  # frames that are decoded while the method computes


def partial_of(place: Path) -> Path:
    """The folder of a video's records until it has been tracked to its end."""
    return place.with_name(f"{place.name}.partial")


def finished(place: Path, render: Path | None) -> bool:
    """Returns True if an earlier run tracked a video to its end, and drew it if that is wanted."""
    return place.exists() and not partial_of(place).exists() and (render is None or render.exists())


def track_video(
    method: Method[Any], source: Source, place: Path, options: argparse.Namespace, bar: tqdm
) -> tuple[Poses, list[Loss]]:
    """Tracks a video into a file; if it is interrupted, what there is goes into the file.

    Returns:
        The tracks, and what is left out of them.
    """
    live = source.path is None
    about = describe(method, source, options)
    spool: Spool[Any] = Spool(partial_of(place), about, method.skeleton, gaps=live)
    if not options.resume:
        spool.start_anew()
    try:
        dropped = detect_into(spool, method, source, options, bar)
    except KeyboardInterrupt as stop:
        spool.flush()
        if next(spool.stored(), None) is None:
            raise
        frames = len(finish(method, spool, source, place, options)[0])
        if live:
            spool.remove()
        onwards = "" if live else "; --resume goes on from there"
        raise type(stop)(f"{plural(frames, 'frame')} of {source.title} tracked, in {place}{onwards}") from None
    spool.flush()
    poses, losses = finish(method, spool, source, place, options)
    spool.remove()
    return poses, [lost_frames(len(poses), dropped), *losses]


def lost_frames(tracked: int, dropped: int) -> Loss:
    """The frames of a live source that came faster than they were tracked."""
    reason = "since tracking is slower than the source (smaller images are faster)"
    return Loss("frame", tracked + dropped, {reason: dropped}, "dropped")


def detect_into(spool: Spool[Any], method: Method[Any], source: Source, options: argparse.Namespace, bar: tqdm) -> int:
    """Adds the records of all frames that the spool lacks; returns the number of frames that were dropped."""
    sizes = spool.sizes()
    before = spool.last(method.frames_to_reread(sizes))
    bar.update(len(sizes))
    window = window_for(source, method, options)
    ahead, watch = 0 if source.path is None else AHEAD, None if window is None else window.keep
    first = len(sizes) - len(before)
    with open_video(source.given, first=first, limit=options.limit, ahead=ahead, watch=watch) as video:
        if video.live and not links_one_by_one(options):
            raise ValueError(
                f"{source.label}: frames may be dropped, which --method {options.method} cannot do without"
            )
        bar.total = options.limit if video.length is None else min(video.length, options.limit or video.length)
        for record in method.detect(video, before):
            spool.add(record)
            bar.set_postfix(people=method.count(record), refresh=False)
            bar.update()
            if window is not None and not window.show(record):
                break
    if window is not None:
        window.close()
    return video.dropped


def window_for(source: Source, method: Method[Any], options: argparse.Namespace) -> Window | None:
    """The window that --show asks for."""
    if not options.show:
        return None
    from ptfast.cli.window import Window

    return Window(source.title, linker_of(options, method))


def finish(
    method: Method[Any], spool: Spool[Any], source: Source, place: Path, options: argparse.Namespace
) -> tuple[Poses, list[Loss]]:
    """Links all records of a video and writes the tracks; returns them and what is left out of them."""
    parts = spool.stored()
    first = next(parts, None)
    if first is None:
        raise ValueError(f"{source.label}: expected at least one frame, found none")
    poses, losses = link_records(options, method, chain([first], parts))
    undecoded = int((np.asarray(poses.frame_size) == 0).all(1).sum())
    if undecoded == len(poses):
        raise ValueError(f"{source.label}: expected a frame that can be decoded, found none among {len(poses):,}")
    poses = in_text(replace(poses, sequence=source.name))
    write_poses(poses, place, format=options.format)
    pictures = Loss("frame", len(poses), {"that could not be decoded": undecoded}, "without a picture")
    return poses, [pictures, *losses, *unheld("track", poses, place, options.format)]


def describe(method: Method[Any], source: Source, options: argparse.Namespace) -> dict[str, object]:
    """The video, the files and the settings that its records depend on."""
    about: dict[str, object] = {"video": source.label}
    if source.path is not None:
        about = {"video": str(source.path.resolve()), "video's state": version(source.path)}
    for name, file in files_of(options).items():
        about |= {name: str(file.resolve()), f"{name}' state": version(file)}
    return about | {"method": options.method, "skeleton": method.skeleton.name} | method.depends_on()


def version(path: Path) -> str:
    """Size and time of a file, or of a folder's images, which tell it from earlier ones of the same name."""
    states = [file.stat() for file in (files_in(path, IMAGES) if path.is_dir() else [path])]
    size, changed = sum(state.st_size for state in states), max(state.st_mtime_ns for state in states)
    return f"{plural(len(states), 'file')} of {size:,} bytes, changed at {changed / 1e9:.6f}"


def draw(poses: Poses, path: Path, target: Path) -> None:
    """Draws tracks, which are in their file already, over their video."""
    from ptfast import viz

    try:
        with open_video(path) as video:
            viz.render_video(poses, target, frames=video, fps=video.fps or 25.0)
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        raise ValueError(f"{target}: the tracks are written, but could not be drawn: {said(error)}") from None
