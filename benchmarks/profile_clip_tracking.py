"""Time of `ptfast track --method clip-tracking`, part by part.

`python benchmarks/profile_clip_tracking.py VIDEO` tracks a video with every frame as key frame and with every 4th, and
writes benchmarks/results/profile_clip_tracking.json; `python benchmarks/make_tables.py` puts it into
docs/clip-tracking.md. Without a video it draws a synthetic one of 100 frames first.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from conftest import machine
from stopwatch import Stopwatch
from tqdm import tqdm

from ptfast import viz
from ptfast.io import open_video
from ptfast.methods import ClipTracking
from ptfast.methods.clip_tracking.polish import MovingMerge
from ptfast.models import tubes
from ptfast.pipeline.windows import segments
from ptfast.synthetic import render
from ptfast.tracking import OnlineJoiner, warm_up

RESULT = Path(__file__).parent / "results" / "profile_clip_tracking.json"
STEPS = (1, 4)


def main() -> None:
    """Profiles both steps between key frames and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--weights", default="clip-tracking")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        video = options.video or synthetic_video(Path(folder))
        rows = [profile_row(options, video, step) for step in STEPS]
    document = {**machine(), "threads": options.threads, "runs_on": options.device, "rows": rows}
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    print(f"figures are in {RESULT}")


def profile_row(options: argparse.Namespace, video: Path, step: int) -> dict[str, Any]:
    """The second of two runs, so that nothing is timed that happens once."""
    method = ClipTracking.load(options.weights, device=options.device, step=step)
    for _ in tqdm(range(2), desc=f"step {step}"):
        seconds, frames, total = profiled(method, video)
    shares = {part: round(100 * spent / total, 2) for part, spent in sorted(seconds.items(), key=lambda row: -row[1])}
    print(f"step {step}: {frames / total:.1f} frames/s", shares)
    return {"step": f"step {step}", "frames": frames, "frames_per_s": round(frames / total, 2), "percent": shares}


def profiled(method: ClipTracking, video: Path) -> tuple[dict[str, float], int, float]:
    """Seconds of each part, frames and seconds in all, of tracking a video."""
    watch = Stopwatch(method.network.device)
    places = [
        (method, "detector", "person detector"),
        (method.network.model, "forward", "pose network"),
        (tubes, "crop_tubes", "cutting out tubes"),
        (tubes, "heatmap_peaks", "decoding of heatmaps"),
        (OnlineJoiner, "update", "joining"),
        (MovingMerge, "merged", "merging"),
    ]
    with watch.on(places):
        started = time.perf_counter()
        with open_video(video) as opened:
            source = watch.frames("decoding of video", opened)
            frames = watch.timed("the rest", lambda: [*track_frames(method, source)])()
        return dict(watch.seconds), len(frames), time.perf_counter() - started


def track_frames(method: ClipTracking, frames: Any) -> Any:
    """Does as `stream`, with frames that are read one by one."""
    cut = (record for segment in segments(frames, method.window, method.config.batch) for record in method.cut(segment))
    return method.sew(cut)


def synthetic_video(folder: Path) -> Path:
    """A video of 100 frames with six people at a time."""
    path = folder / "synthetic.mp4"
    viz.write_video(render(8_000_001, frames=100, people=6, pan=4.0, shake=0.2, blur=2), path)
    return path


if __name__ == "__main__":
    main()
