"""ptfast link, eval and convert: poses that are there already."""

from __future__ import annotations

import argparse
import inspect
import json
import time
from pathlib import Path

from ptfast._files import write_atomic
from ptfast.cli._shared import check_other_place, command, map_poses, number_or_none, plural
from ptfast.io import FORMATS, read_sequences, write_poses
from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses
from ptfast.tracking import link


def add_link(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast link."""
    parser = command(commands, "link", _link, "Give poses track ids: a file or a folder of detections in, tracks out.")
    parser.add_argument(
        "detections", type=Path, help="file or folder of per-frame poses in any format that ptfast reads"
    )
    parser.add_argument(
        "out", type=Path, help="file or folder to write, .json for PoseTrack 2018, .csv, .parquet, .txt"
    )
    parser.add_argument("--cost", choices=["oks", "iou", "pckh"], default="oks", help="what two poses are compared by")
    parser.add_argument("--matcher", choices=["hungarian", "greedy"], default="hungarian", help="how pairs are chosen")
    parser.add_argument("--motion", choices=["velocity", "none"], default="velocity", help="how earlier poses move on")
    parser.add_argument("--lookback", type=int, default=4, help="frames that a track may be lost for, plus one")
    defaults = {name: field.default for name, field in inspect.signature(link).parameters.items()}
    numbers = {
        "max-cost": "pairs that cost more are never made; none allows all",
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
    names = ("cost", "matcher", "motion", "lookback", "max_cost", "min_score", "min_joint_score", "sigma_scale")
    settings = {name: getattr(options, name) for name in (*names, "max_tracks", "keep_filtered")}
    started = time.perf_counter()
    check_other_place(options.out, options.detections)
    poses = _read(options.detections)
    linked = map_poses(poses, lambda sequence: link(sequence, **settings), "linking")
    write_poses(linked, options.out, format=options.format)
    sequences = list(linked.values()) if isinstance(linked, dict) else [linked]
    frames, count = sum(map(len, sequences)), sum(len(sequence.scores) for sequence in sequences)
    tracks = sum(len({*sequence.track_ids.tolist()} - {-1}) for sequence in sequences)
    print(f"{plural(len(sequences), 'sequence')}, {plural(frames, 'frame')}, {plural(count, 'pose')}, "
          f"{plural(tracks, 'track')} in {time.perf_counter() - started:.2f} s; written to {options.out}")  # fmt: skip


def _read(source: Path) -> Poses | dict[str, Poses]:
    """The poses of a file, or by name those of a folder or of a file with several sequences."""
    sequences = read_sequences(source)
    return sequences if source.is_dir() or len(sequences) > 1 else next(iter(sequences.values()))


def add_eval(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast eval."""
    parser = command(commands, "eval", _eval, "Score tracks as PoseTrack's official evaluator does.")
    parser.add_argument("ground_truth", type=Path, help="annotated file or folder")
    parser.add_argument("predictions", type=Path, help="file or folder of tracks, the same sequences and frames")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure, in total and per sequence")
    parser.add_argument("--mota-min-score", type=float, metavar="X", help="leave poses under this score out of MOTA")
    parser.add_argument(
        "--mota-min-joint-score", type=_scores, metavar="X[,X...]",
        help="leave joints under this score out of MOTA: one value, or one for each of the 15 joints",
    )  # fmt: skip
    parser.add_argument("--clean", action="store_true", help="leave the official evaluator's quirks out")
    parser.add_argument("--motp", choices=["matches", "motmetrics"], default="matches", help="which MOTP to print")


def _scores(text: str) -> float | list[float]:
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, or numbers with commas between, got {text!r}") from None
    return values[0] if len(values) == 1 else values


def _eval(options: argparse.Namespace) -> None:
    from ptfast.evaluation.posetrack import evaluate

    if options.json is not None:
        check_other_place(options.json, options.ground_truth, options.predictions)
        if options.json.exists() and not options.json.is_file():
            raise ValueError(f"{options.json}: expected a file or nothing to replace, found something else")
    result = evaluate(
        options.ground_truth,
        options.predictions,
        official=not options.clean,
        mota_min_score=options.mota_min_score,
        mota_min_joint_score=options.mota_min_joint_score,
        motp=options.motp,
    )
    print(result.table())
    if options.json is not None:
        with write_atomic(options.json) as draft:
            draft.write_text(json.dumps(result.to_dict(), indent=2) + "\n")
        print(f"figures written to {options.json}")


def add_convert(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast convert."""
    parser = command(commands, "convert", _convert, "Read poses in one format and write them in another.")
    parser.add_argument("source", type=Path, metavar="IN", help="file or folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="file or folder")
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")
    parser.add_argument("--skeleton", choices=sorted(SKELETONS), help="joints to write, matched by name")


def _convert(options: argparse.Namespace) -> None:
    check_other_place(options.out, options.source)
    poses = _read(options.source)
    if options.skeleton is not None:
        poses = map_poses(poses, lambda sequence: sequence.to_skeleton(SKELETONS[options.skeleton]), "converting")
    write_poses(poses, options.out, format=options.format)
    print(f"written to {options.out}")
