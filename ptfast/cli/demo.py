"""ptfast demo: a synthetic video from pixels to scored tracks, and the people of a real one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ptfast._check import check_number
from ptfast.cli._shared import check_output, command, plural
from ptfast.cli.lock import only_run
from ptfast.io import open_video, write_poses

FRAMES, PEOPLE = 96, 5
CLIP = Path(__file__).with_name("clips") / "one_by_one.mp4"  # its source and licence stand beside it
IN_CLIP = 3  # people, one after another


def add_demo(commands: argparse._SubParsersAction) -> None:
    """Adds ptfast demo."""
    text = (
        "Draw a synthetic video, track the people in it with the weights that come along, score and draw the tracks; "
        "then track and draw the people of a short real video."
    )
    parser = command(commands, "demo", _demo, text)
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to write into")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another video")


def _demo(options: argparse.Namespace) -> None:
    out: Path = options.out
    check_number("seed", options.seed, 0)
    check_output(out, folder=True)
    out.mkdir(parents=True, exist_ok=True)
    with only_run(out):
        _make_synthetic(out, options.seed)
        _make_real(out)
    names = "tracks.mp4 and contact_sheet.png to look at, tracks.json to go on with"
    print(f"results are in {out}: {names}; those of the real video begin with real_")


def _make_synthetic(out: Path, seed: int) -> None:
    """Draws a video into a folder, tracks its people, scores the tracks and draws them."""
    from tqdm import tqdm

    from ptfast import synthetic, viz
    from ptfast.evaluation.posetrack import evaluate
    from ptfast.methods import DetectAndTrack
    from ptfast.structures import Poses
    from ptfast.synthetic.splits import VALIDATION_SEEDS

    # A seed that the weights have not been trained on.
    film = synthetic.render(VALIDATION_SEEDS + seed, frames=FRAMES, people=PEOPLE, pan=4.0, shake=0.2, blur=2)
    video = out / "video.mp4"
    viz.write_video(tqdm(film, "drawing", len(film), unit="frame", leave=False), video)
    method = DetectAndTrack.load()
    frames = list(tqdm(method.stream(open_video(video)), "tracking", len(film), unit="frame", leave=False))
    tracks = replace(Poses.concatenate(frames), sequence=film.poses.sequence, frame_names=film.poses.frame_names)
    write_poses(film.poses, out / "ground_truth.json")
    write_poses(tracks, out / "tracks.json")
    print(evaluate(out / "ground_truth.json", out / "tracks.json").table())
    viz.render_video(tracks, out / "tracks.mp4", frames=str(video))
    viz.contact_sheet(tracks, out / "contact_sheet.png", frames=str(video))
    people, found = len({*film.poses.track_ids.tolist()}), len({*tracks.track_ids.tolist()})
    print(f"{plural(len(tracks), 'frame')}, {people} people, {plural(found, 'track')}")


def _make_real(out: Path) -> None:
    """Tracks the people of a clip that comes along and draws the tracks into a folder."""
    from tqdm import tqdm

    from ptfast import viz
    from ptfast.methods import Online
    from ptfast.structures import Poses

    with open_video(CLIP) as video:
        stream = Online.load().stream(video)
        frames = list(tqdm(stream, "tracking", video.length, unit="frame", leave=False))
        rate = video.fps or 10.0
    tracks = replace(Poses.concatenate(frames), sequence=CLIP.stem)
    write_poses(tracks, out / "real_tracks.json")
    viz.render_video(tracks, out / "real_tracks.mp4", frames=CLIP, fps=rate)
    viz.contact_sheet(tracks, out / "real_contact_sheet.png", frames=CLIP, columns=3, count=9)
    found = len({*tracks.track_ids.tolist()} - {-1})
    print(f"{CLIP.name}, a real video: {plural(len(tracks), 'frame')}, {IN_CLIP} people, {plural(found, 'track')}")
