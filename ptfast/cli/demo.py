"""ptfast demo: a synthetic scene from start to end."""

from __future__ import annotations

import argparse
from pathlib import Path

from ptfast.cli._shared import command
from ptfast.io import write_poses
from ptfast.tracking import link


def add_demo(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast demo."""
    text = "Link a synthetic scene of crossing, occluding people, score it, and draw it."
    parser = command(commands, "demo", _demo, text)
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
