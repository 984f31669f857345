"""Chooses the seeds of the test set benchmark_v1, as was done before anything was trained.

For each of 20 settings, the first seed is taken from 9,000,000 + 1,000 x the setting's number upward in whose video
all people are in the image together at least once, and between 23 and 32 % of the people in all frames have more than
30 % of their labelled joints hidden.

`python benchmarks/make_test_set.py` writes ptfast/synthetic/benchmark_v1.json anew, byte for byte.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ptfast.skeletons import POSETRACK_15
from ptfast.synthetic import render
from ptfast.synthetic.splits import TEST_SEEDS, VALIDATION_SEEDS, mostly_hidden

OUT = Path(__file__).parents[1] / "ptfast/synthetic/benchmark_v1.json"
VIDEOS = 20
HIDDEN = (0.23, 0.32)  # bounds of a video's share of people who are mostly hidden


def setting(number: int) -> dict:
    """Every argument of `render` but the seed for video 0 to 19: pan, shake and scenery are spread evenly."""
    return {
        "frames": 64,
        "people": 8 - number % 6,
        "size": [256, 256],
        "skeleton": POSETRACK_15.name,
        "fps": 25.0,
        "pan": round(3 + 5 * (7 * number % VIDEOS) / (VIDEOS - 1), 2),
        "shake": round(0.1 + 0.3 * (11 * number % VIDEOS) / (VIDEOS - 1), 3),
        "scenery": 2 + number // 6 % 3,
        "blur": 2,
    }


def entry(number: int) -> dict:
    """The first video of a setting that meets the rule, and what was counted in it."""
    chosen = setting(number)
    for seed in itertools.count(TEST_SEEDS + 1000 * number):
        poses = render(seed, **{**chosen, "skeleton": POSETRACK_15}).poses
        hidden, all_there = int(mostly_hidden(poses).sum()), int(np.diff(poses.frame_offsets).max())
        if all_there == chosen["people"] and HIDDEN[0] <= hidden / len(poses.boxes) <= HIDDEN[1]:
            return {
                "arguments": {"seed": seed, **chosen},
                "person_frames": len(poses.boxes),
                "mostly_hidden": hidden,
                "identities": len(np.unique(poses.track_ids)),
            }
    raise AssertionError


def text(videos: list[dict]) -> str:
    """The file: a line for each video.

    Its words are part of what is fixed: they call a test set an exam, and this file make_exam.py.
    """
    frames, hidden = (sum(video[key] for video in videos) for key in ("person_frames", "mostly_hidden"))
    head = {
        "name": OUT.stem,
        "seeds": f"{TEST_SEEDS} upward: exams; {VALIDATION_SEEDS} to {TEST_SEEDS - 1}: validation; rest: training",
        "rule": "benchmarks/make_exam.py",
        "person_frames": frames,
        "mostly_hidden": hidden,
        "mostly_hidden_share": round(hidden / frames, 4),
    }
    lines = ",\n  ".join(json.dumps(video) for video in videos)
    return json.dumps(head, indent=1)[:-2] + f',\n "videos": [\n  {lines}\n ]\n}}\n'


def main() -> None:
    """Writes the file and prints the share of people who are mostly hidden."""
    cv2.setNumThreads(1)
    written = text([entry(number) for number in tqdm(range(VIDEOS), desc="videos")])
    OUT.write_text(written)
    print(json.loads(written)["mostly_hidden_share"])


if __name__ == "__main__":
    main()
