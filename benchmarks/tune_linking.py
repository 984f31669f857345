"""Choice of the defaults of ptfast.link, on training sequences alone.

For each setting, two things are measured: wrong links on annotated poses at strides 1, 2 and 4 (somof/train), and the
official MOTA and switches of detections made from annotated poses (posetrack/annotations/train, seen through
ptfast.synthetic.detections). One setting is varied at a time around the defaults.

`python benchmarks/tune_linking.py` prints the table; it needs the sequences that PTFAST_DATA (default ../shared/data)
holds.
"""

from __future__ import annotations

import numpy as np
from bench_linking_quality import DATA, link_without_ids, table, wrong_links
from tqdm import tqdm

from ptfast.evaluation.posetrack import evaluate
from ptfast.io import read_sequences
from ptfast.synthetic import detections
from ptfast.tracking import link

VARIATIONS = [
    {},
    *({"cost": cost} for cost in ("iou", "pckh")),
    {"motion": "none"},
    {"matcher": "greedy"},
    *({"sigma_scale": scale} for scale in (1.0, 1.5, 2.5, 3.0)),
    *({"max_cost": cost} for cost in (0.7, 0.8, 0.9, 0.98, None)),
    *({"lookback": frames} for frames in (1, 2, 3, 6, 8)),
    *({"min_score": score} for score in (0.3, 0.5, 0.6)),
    *({"min_joint_score": score} for score in (0.35, 0.4, 0.5)),
]


def main() -> None:
    """Prints one row for each variation."""
    somof = read_sequences(DATA / "somof/train")
    truth = read_sequences(DATA / "posetrack/annotations/train")
    found = {name: detections(poses, seed) for seed, (name, poses) in enumerate(truth.items())}
    rows = []
    for changed in tqdm(VARIATIONS, desc="settings"):
        row = {"setting": ", ".join(f"{name}={value}" for name, value in changed.items()) or "defaults"}
        linking = {name: value for name, value in changed.items() if not name.startswith("min_")}
        for stride in (1, 2, 4):
            taken = [poses[::stride] for poses in somof.values()]
            counts = [wrong_links(poses, link_without_ids(poses, linking).track_ids) for poses in taken]
            wrong, links = np.sum(counts, 0)
            row[f"wrong links, stride {stride}, %"] = float(100 * wrong / links)
        scores = evaluate(truth, {name: link(poses, **changed) for name, poses in found.items()})
        rows.append(row | {"MOTA": float(scores.mota[-1]), "switches": int(scores.switches[-1])})
    print(table(rows))


if __name__ == "__main__":
    main()
