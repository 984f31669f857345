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
from ptfast.cli.methods import files_of, link_records
from ptfast.cli.spool import Spool
from ptfast.cli.unheld import unheld
from ptfast.io import open_video, write_poses
from ptfast.io.paths import IMAGES, files_in
from ptfast.structures import Poses

if TYPE_CHECKING:
    from tqdm import tqdm

    from ptfast.methods.base import Method


def partial_of(place: Path) -> Path:
    """The folder of a video's records until it has been tracked to its end."""
    return place.with_name(f"{place.name}.partial")


def finished(place: Path, render: Path | None) -> bool:
    """Returns True if an earlier run tracked a video to its end, and drew it if that is wanted."""
    return place.exists() and not partial_of(place).exists() and (render is None or render.exists())


def track_video(
    method: Method[Any], path: Path, place: Path, options: argparse.Namespace, bar: tqdm
) -> tuple[Poses, list[Loss]]:
    """Tracks a video into a file; if it is interrupted, what there is goes into the file.

    Returns:
        The tracks, and what is left out of them.
    """
    spool: Spool[Any] = Spool(partial_of(place), describe(method, path, options), method.skeleton)
    if not options.resume:
        spool.start_anew()
    try:
        detect_into(spool, method, path, bar)
    except KeyboardInterrupt as stop:
        spool.flush()
        if next(spool.stored(), None) is None:
            raise
        frames = len(finish(method, spool, path, place, options)[0])
        raise type(stop)(
            f"{plural(frames, 'frame')} of {path.name} tracked, in {place}; --resume goes on from there"
        ) from None
    spool.flush()
    tracked = finish(method, spool, path, place, options)
    spool.remove()
    return tracked


def detect_into(spool: Spool[Any], method: Method[Any], path: Path, bar: tqdm) -> None:
    """Adds the records of all frames that the spool lacks."""
    sizes = spool.sizes()
    before = spool.last(method.frames_to_reread(sizes))
    bar.update(len(sizes))
    with open_video(path, first=len(sizes) - len(before)) as video:
        bar.total = video.length
        for record in method.detect(video, before):
            spool.add(record)
            bar.set_postfix(people=method.count(record), refresh=False)
            bar.update()


def finish(
    method: Method[Any], spool: Spool[Any], path: Path, place: Path, options: argparse.Namespace
) -> tuple[Poses, list[Loss]]:
    """Links all records of a video and writes the tracks; returns them and what is left out of them."""
    parts = spool.stored()
    first = next(parts, None)
    if first is None:
        raise ValueError(f"{path}: expected at least one frame, found none")
    poses, losses = link_records(options, method, chain([first], parts))
    undecoded = int((np.asarray(poses.frame_size) == 0).all(1).sum())
    if undecoded == len(poses):
        raise ValueError(f"{path}: expected a frame that can be decoded, found none among {len(poses):,}")
    poses = in_text(replace(poses, sequence=path.name if path.is_dir() else path.stem))
    write_poses(poses, place, format=options.format)
    pictures = Loss("frame", len(poses), {"that could not be decoded": undecoded}, "without a picture")
    return poses, [pictures, *losses, *unheld("track", poses, place, options.format)]


def describe(method: Method[Any], path: Path, options: argparse.Namespace) -> dict[str, object]:
    """The video, the files and the settings that its records depend on."""
    about: dict[str, object] = {"video": str(path.resolve()), "video's state": version(path)}
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
