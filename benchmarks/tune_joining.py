"""Choice of the defaults of ptfast.tracking.join_tracklets, on training sequences alone.

Tracklets made of annotated poses by `jittered_clips` (its rule is stated there) are joined, and two kinds of errors
counted: a person's next tracklet has another id, and an id's next tracklet is of another person. For a network of the
jitter assumed there and for one of twice as much.

`python benchmarks/tune_joining.py` prints the tables; it needs the sequences that PTFAST_DATA (default ../shared/data)
holds.
"""

from __future__ import annotations

import numpy as np
from bench_linking_quality import DATA, table
from jittered_clips import JITTER, jittered_clips
from tqdm import tqdm

from ptfast.io import read_sequences
from ptfast.structures import Tracklets
from ptfast.tracking import join_tracklets

SETS = ("posetrack/annotations/train", "somof/train")
STEPS = (1, 4)
LEAST = (None, 0.1, 0.2, 0.3, 0.4, 0.5)
SCALES = (1.0, 1.5, 2.0)


def errors(tracklets: Tracklets, person: np.ndarray, ids: np.ndarray) -> tuple[int, int]:
    """Number of times that a person's next tracklet has another id, and that an id's next one is another person's."""
    counts = []
    for owner, given in ((person, ids), (ids, person)):
        order = np.lexsort((tracklets.first_frame, owner))
        same = np.diff(owner[order]) == 0
        counts.append(int((same & (np.diff(given[order]) != 0)).sum()))
    return counts[0], counts[1]


def main() -> None:
    """Prints a table for each network: rows are settings, columns sets of sequences and steps."""
    sequences = {name: read_sequences(DATA / name) for name in SETS}
    for jitter in (JITTER, 2 * JITTER):
        made = {
            f"{name}, S = {step}": [
                jittered_clips(poses, seed, step=step, jitter=jitter) for seed, poses in enumerate(found.values())
            ]
            for name, found in sequences.items()
            for step in STEPS
        }
        rows = []
        for least, scale in tqdm([(least, scale) for least in LEAST for scale in SCALES], desc=f"jitter {jitter}"):
            settings = {"min_similarity": least, "sigma_scale": scale}
            counts = {
                title: np.sum([errors(*pair, join_tracklets(pair[0], **settings)) for pair in pairs], 0)
                for title, pairs in made.items()
            }
            rows.append(settings | {title: " + ".join(map(str, count)) for title, count in counts.items()})
        print(f"jitter of {jitter} head sizes", table(rows), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    main()
