"""ptfast link: track ids for poses."""

from __future__ import annotations

import argparse
import inspect
import time
from pathlib import Path

from ptfast.cli._shared import (
    check_other_place,
    check_output,
    command,
    map_poses,
    number_or_none,
    plural,
    read_one_or_many,
    sequences_of,
)
from ptfast.cli.linking import add_cost, linking_of
from ptfast.cli.losses import Loss, filter_losses, report
from ptfast.cli.unheld import unheld
from ptfast.io import FORMATS, write_poses
from ptfast.structures import Poses
from ptfast.tracking import count_filtered, link


def add_link(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast link."""
    parser = command(commands, "link", _link, "Give poses track ids: a file or a folder of detections in, tracks out.")
    parser.add_argument(
        "detections", type=Path, help="file or folder of per-frame poses in any format that ptfast reads"
    )
    parser.add_argument(
        "out", type=Path, help="file or folder to write, .json for PoseTrack 2018, .csv, .parquet, .txt"
    )
    add_cost(parser)
    parser.add_argument("--lookback", type=int, default=4, help="frames that a track may be lost for, plus one")
    defaults = {name: field.default for name, field in inspect.signature(link).parameters.items()}
    numbers = {
        "min-score": "poses under this score are dropped; none keeps all",
        "min-joint-score": "joints under this score are dropped; none keeps all",
    }
    for name, text in numbers.items():
        default = defaults[name.replace("-", "_")]
        parser.add_argument(f"--{name}", type=number_or_none, default=default, metavar="X", help=text)
    parser.add_argument(
        "--sigma-scale", type=float, default=defaults["sigma_scale"], metavar="X", help="factor on the OKS sigmas"
    )
    parser.add_argument("--max-tracks", type=int, metavar="N", help="at most so many ids in a frame")
    parser.add_argument("--keep-filtered", action="store_true", help="write dropped poses too, without an id")
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")


def _link(options: argparse.Namespace) -> None:
    started = time.perf_counter()
    linking = linking_of(options)
    check_other_place(options.out, options.detections)
    poses = read_one_or_many(options.detections)
    check_output(options.out, folder=isinstance(poses, dict))
    linked = map_poses(poses, linking.link, "linking")
    sequences = sequences_of(linked)
    losses = _losses(sequences_of(poses), sequences, options)
    if losses[0].total and losses[0].count == losses[0].total:
        raise ValueError(f"{options.detections}: {losses[0]}; none is linked, and nothing is written")
    write_poses(linked, options.out, format=options.format)
    losses += unheld("link", linked, options.out, options.format)
    frames, count = sum(map(len, sequences)), sum(len(sequence.scores) for sequence in sequences)
    tracks = sum(len({*sequence.track_ids.tolist()} - {-1}) for sequence in sequences)
    spent = f"{time.perf_counter() - started:.2f} s"
    report("link", losses, f"{plural(len(sequences), 'sequence')}, {plural(frames, 'frame')}, {plural(count, 'pose')}, "
           f"{plural(tracks, 'track')} in {spent}{linking.seen()}; written to {options.out}")  # fmt: skip


def _losses(given: list[Poses], linked: list[Poses], options: argparse.Namespace) -> list[Loss]:
    """Poses and joints that the thresholds drop, and poses that find no room among --max-tracks."""
    limits = {"min_score": options.min_score, "min_joint_score": options.min_joint_score}
    counts = [count_filtered(poses, **limits) for poses in given]
    how = "written without a track id" if options.keep_filtered else "left out"
    losses = filter_losses(counts, **limits, change="none keeps all", how=how)
    kept = sum(count.left for count in counts)
    tracked = sum(int((poses.track_ids >= 0).sum()) for poses in linked)
    over = {f"over --max-tracks {options.max_tracks}": kept - tracked}
    emptied = {"all of whose poses are": sum(count.poses > 0 and count.left == 0 for count in counts)}
    return [
        *losses,
        Loss("linked pose", kept, over, "without a track id"),
        Loss("sequence", len(counts), emptied, how),
    ]
