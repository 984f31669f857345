"""The command line: ptfast link, eval, convert, synth, info and demo."""

from __future__ import annotations

import argparse
import inspect
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import ptfast
from ptfast import _native
from ptfast.io import FORMATS, read_poses, write_poses
from ptfast.skeletons import SKELETONS
from ptfast.structures import Poses
from ptfast.tracking import link

if TYPE_CHECKING:
    import numpy as np
    from tqdm import tqdm

DESCRIPTION = "Link poses to tracks, score them as PoseTrack does, and convert between the field's file formats."


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command; bad input ends with one line on stderr and exit code 2, Ctrl-C with 130."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, TypeError, OSError, ImportError) as error:
        message = " ".join(str(error).split())
        sys.exit(_fail(f"ptfast {options.command}: {message}", 2))
    except KeyboardInterrupt:
        sys.exit(_fail(f"ptfast {options.command}: interrupted; files that were not finished were not written", 130))


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        sys.exit(_fail(f"{self.prog}: {message}; see {self.prog} --help", 2))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ptfast", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ptfast {ptfast.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_link(commands)
    _add_eval(commands)
    _add_convert(commands)
    _add_synth(commands)
    _command(commands, "info", _info, "Show versions, how the native core was built, and what it runs on.")
    _add_demo(commands)
    return parser


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable[[argparse.Namespace], None], text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.set_defaults(run=run)
    return parser


def _number_or_none(text: str) -> float | None:
    try:
        return None if text.lower() == "none" else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number or none, got {text!r}") from None


def _scores(text: str) -> float | list[float]:
    try:
        values = [float(value) for value in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, or numbers with commas between, got {text!r}") from None
    return values[0] if len(values) == 1 else values


def _check_other_place(out: Path, *sources: Path) -> None:
    """Raises ValueError if writing `out` would replace what is read."""
    for source in sources:
        if out.exists() and source.exists() and (out.samefile(source) or out.parent.samefile(source)):
            raise ValueError(f"{out}: expected another place than the input's, which would be replaced")


def _add_link(commands: argparse._SubParsersAction) -> None:
    parser = _command(commands, "link", _link, "Give poses track ids: a file or a folder of detections in, tracks out.")
    parser.add_argument(
        "detections", type=Path, help="file or folder of per-frame poses in any format that ptfast reads"
    )
    parser.add_argument(
        "out", type=Path, help="file or folder to write, .json for PoseTrack 2018, .csv, .parquet, .txt"
    )
    parser.add_argument("--cost", choices=["oks", "iou", "pckh"], default="oks", help="what two poses are compared by")
    parser.add_argument("--matcher", choices=["hungarian", "greedy"], default="hungarian", help="who gets whom")
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
        parser.add_argument(f"--{name}", type=_number_or_none, default=default, metavar="X", help=text)
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
    _check_other_place(options.out, options.detections)
    poses = read_poses(options.detections)
    linked = _map(poses, lambda sequence: link(sequence, **settings), "linking")
    write_poses(linked, options.out, format=options.format)
    sequences = list(linked.values()) if isinstance(linked, dict) else [linked]
    frames, count = sum(map(len, sequences)), sum(len(sequence.scores) for sequence in sequences)
    tracks = sum(len({*sequence.track_ids.tolist()} - {-1}) for sequence in sequences)
    print(f"{_count(len(sequences), 'sequence')}, {_count(frames, 'frame')}, {_count(count, 'pose')}, "
          f"{_count(tracks, 'track')} in {time.perf_counter() - started:.2f} s; written to {options.out}")  # fmt: skip


def _add_eval(commands: argparse._SubParsersAction) -> None:
    parser = _command(commands, "eval", _eval, "Score tracks as PoseTrack's official evaluator does.")
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


def _eval(options: argparse.Namespace) -> None:
    from ptfast.evaluation.posetrack import evaluate

    if options.json is not None:
        _check_other_place(options.json, options.ground_truth, options.predictions)
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
        _write_text(options.json, json.dumps(result.to_dict(), indent=2) + "\n")
        print(f"figures written to {options.json}")


def _add_convert(commands: argparse._SubParsersAction) -> None:
    parser = _command(commands, "convert", _convert, "Read poses in one format and write them in another.")
    parser.add_argument("source", type=Path, metavar="IN", help="file or folder")
    parser.add_argument("out", type=Path, metavar="OUT", help="file or folder")
    parser.add_argument("--format", choices=FORMATS, help="format to write instead of what OUT's suffix says")
    parser.add_argument("--skeleton", choices=sorted(SKELETONS), help="joints to write, matched by name")


def _convert(options: argparse.Namespace) -> None:
    _check_other_place(options.out, options.source)
    poses = read_poses(options.source)
    if options.skeleton is not None:
        poses = _map(poses, lambda sequence: sequence.to_skeleton(SKELETONS[options.skeleton]), "converting")
    write_poses(poses, options.out, format=options.format)
    print(f"written to {options.out}")


def _add_synth(commands: argparse._SubParsersAction) -> None:
    parser = _command(commands, "synth", _synth, "Make videos of synthetic people, and PoseTrack 2018 JSON of each.")
    parser.add_argument("out", type=Path, help="folder to write into")
    parser.add_argument("--videos", type=int, default=1, metavar="N", help="how many videos")
    parser.add_argument("--seed", type=int, default=0, help="of the first video; the next has the next seed")
    parser.add_argument("--frames", type=int, default=64, help="frames of each video")
    parser.add_argument("--people", type=int, default=6, help="people at a time")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(256, 256), metavar=("W", "H"), help="width and height in pixels"
    )
    parser.add_argument("--pan", type=float, default=5.0, help="degrees that the camera swings to either side")
    parser.add_argument("--shake", type=float, default=0.2, help="degrees that the camera shakes by")
    parser.add_argument("--blur", type=int, default=2, help="moments that a frame is the mean of; 1 is sharp")


def _synth(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from ptfast import synthetic, viz
    from ptfast._check import check_number

    names = ("frames", "people", "pan", "shake", "blur")
    settings = {name: getattr(options, name) for name in names} | {"size": tuple(options.size)}
    check_number("videos", options.videos, 1)
    check_number("frames", options.frames, 1)
    check_number("seed", options.seed, 0)
    started = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    with tqdm(total=options.videos * options.frames, desc="drawing", unit="frame", delay=1, leave=False) as bar:
        for seed in range(options.seed, options.seed + options.videos):
            film = synthetic.render(seed, **settings)
            place = options.out / film.poses.sequence
            viz.write_video(_counted(film, bar), place.with_suffix(".mp4"))
            write_poses(film.poses, place.with_suffix(".json"))
    print(f"{_count(options.videos, 'video')} of {_count(options.frames, 'frame')} and PoseTrack 2018 JSON in "
          f"{time.perf_counter() - started:.2f} s; results are in {options.out}")  # fmt: skip


def _counted(film: Iterable[np.ndarray], bar: tqdm) -> Iterator[np.ndarray]:
    for image in film:
        yield image
        bar.update()


def _info(options: argparse.Namespace) -> None:
    core = _native.core
    rows = {
        "ptfast": f"{ptfast.__version__} ({Path(ptfast.__file__).parent})",
        "native core": f"{core.version}, built by {core.compiler}, runs on {core.instruction_set}",
        "CUDA": _describe_cuda(),
        "threads": f"{_native.num_threads()} of {os.cpu_count()} processors (PTFAST_NUM_THREADS sets them)",
        "Python": f"{platform.python_version()} on {platform.platform()}",
    }
    rows |= {name: version(name) for name in ("torch", "numpy", "numba", "scipy", "opencv-python", "safetensors")}
    for name, text in rows.items():
        print(f"{name:14} {text}")


def _describe_cuda() -> str:
    if not _native.with_cuda:
        return "no kernels in this build (PTFAST_CUDA=ON pip install . where nvcc is on the PATH)"
    runtime, driver = _native.cuda_versions()
    built = f"kernels for {_native.cuda_archs}, runtime {runtime // 1000}.{runtime % 1000 // 10}"
    if driver == 0:
        return f"{built}; no driver on this machine"
    served = f"driver serves {driver // 1000}.{driver % 1000 // 10}"
    return f"{built}; {served}" + ("" if driver >= runtime else ", which is too old for this build")


def _add_demo(commands: argparse._SubParsersAction) -> None:
    text = "Link a synthetic scene of crossing, occluding people, score it, and draw it."
    parser = _command(commands, "demo", _demo, text)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write into")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another scene")


def _demo(options: argparse.Namespace) -> None:
    from ptfast import synthetic, viz
    from ptfast.evaluation.posetrack import evaluate

    truth = synthetic.scene(options.seed)
    found = synthetic.detections(truth, options.seed, hidden_drop=0.7)
    tracks = link(found)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    for name, poses in (("ground_truth", truth), ("detections", found), ("tracks", tracks)):
        write_poses(poses, out / f"{name}.json")
    result = evaluate(out / "ground_truth.json", out / "tracks.json")
    print(result.table())
    viz.render_video(tracks, out / "tracks.mp4")
    viz.contact_sheet(tracks, out / "contact_sheet.png")
    print(f"{len(truth)} frames, {len({*truth.track_ids.tolist()})} people, {len({*tracks.track_ids.tolist()})} tracks")
    print(f"results are in {out}: tracks.mp4 and contact_sheet.png to look at, tracks.json to go on with")


def _map(poses: Poses | dict[str, Poses], function: Callable[[Poses], Poses], title: str) -> Poses | dict[str, Poses]:
    """Applies a function to one sequence, or to each of a folder behind a progress bar that shows after a second."""
    from tqdm import tqdm

    if isinstance(poses, Poses):
        return function(poses)
    return {name: function(poses[name]) for name in tqdm(poses, desc=title, unit="sequence", delay=1, leave=False)}


def _write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    path = path.resolve()  # a symbolic link stays
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
