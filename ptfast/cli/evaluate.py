"""ptfast eval: scores of tracks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ptfast._files import write_atomic
from ptfast.cli._shared import check_other_place, command


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
    from ptfast.io import read_sequences

    if options.json is not None:
        check_other_place(options.json, options.ground_truth, options.predictions)
        if options.json.exists() and not options.json.is_file():
            raise ValueError(f"{options.json}: expected a file or nothing to replace, found something else")
    truth = read_sequences(options.ground_truth)
    if not any((poses.joint_visibility > 0).any() for poses in truth.values()):
        raise ValueError(f"{options.ground_truth}: expected annotated joints to score against, found none")
    result = evaluate(
        truth,
        options.predictions,
        official=not options.clean,
        mota_min_score=options.mota_min_score,
        mota_min_joint_score=options.mota_min_joint_score,
        motp=options.motp,
    )
    print(result.table())
    for note in result.notes:
        print(f"ptfast eval: note: {note}", file=sys.stderr)
    if options.json is not None:
        with write_atomic(options.json) as draft:
            draft.write_text(json.dumps(result.to_dict(), indent=2) + "\n")
        print(f"figures written to {options.json}")
