"""Distance of merged hypotheses from the annotation, and their official mAP and MOTA, for each way of merging.

Hypotheses are annotated poses with errors, in windows of 9 frames about every frame, at three rates of entanglement;
`jittered_clips` states the rule of the errors. They are joined by `join_tracklets` and merged. Score thresholds of
joints are learnt for each way of merging on the training sequences (section 4.1), since ways differ in the scores that
they give; everything reported is of the validation sequences.

`pytest benchmarks/bench_merging_quality.py --benchmark-only` writes benchmarks/results/merging_quality.json,
`python benchmarks/bench_merging_quality.py` prints the table; both need the annotated sequences that PTFAST_DATA
(default ../shared/data) holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench_linking_quality import DATA, table
from jittered_clips import jittered_clips

from ptfast.evaluation import learn_joint_thresholds
from ptfast.evaluation.posetrack import evaluate
from ptfast.io import read_sequences
from ptfast.ops import assign, oks_matrix
from ptfast.structures import Poses, Tracklets, head_sizes, pose_areas
from ptfast.tracking import drop_low_joints, drop_short_tracks, join_tracklets, merge_hypotheses

# The first three are for the comparison. Of the others one has errors that hypotheses mostly share, and the last knows
# its errors, which helps a method that takes the hypothesis of the highest score.
NETWORKS: dict[str, dict[str, Any]] = {
    "no entanglement": {"jump": 0.0},
    "entanglement 0.1": {"jump": 0.1},
    "entanglement 0.3": {"jump": 0.3},
    "entanglement 0.1, errors mostly shared": {"jump": 0.1, "shared": 0.9},
    "entanglement 0.1, scores tell the error": {"jump": 0.1, "confidence": "actual"},
}
MERGES: dict[str, dict[str, Any]] = {
    "highest (the baseline merge)": {"merge": "highest"},
    "spatial": {"merge": "spatial"},
    "temporal": {"merge": "temporal"},
    "spatiotemporal": {"merge": "spatiotemporal"},
    "spatiotemporal, weighted": {"merge": "spatiotemporal", "weighted": True},
    "spatiotemporal, in radii": {"merge": "spatiotemporal", "distance": "radius", "smoothness": 1.0},
}
Joined = dict[str, tuple[Poses, Tracklets, np.ndarray]]  # by sequence: annotation, tracklets, track ids


def joined(part: str, network: dict[str, Any]) -> Joined:
    """Hypotheses of the annotated sequences of "train" or "val", with the ids that joining gives them."""
    found = {}
    for seed, (name, truth) in enumerate(read_sequences(DATA / "posetrack/annotations" / part).items()):
        tracklets, _ = jittered_clips(truth, seed, **network)
        found[name] = truth, tracklets, join_tracklets(tracklets, frames=len(truth))
    return found


def merged(hypotheses: Joined, options: dict[str, Any]) -> dict[str, Poses]:
    """One pose a person and frame, with the annotation's frame names. Tracks of under 5 frames are dropped."""
    made = {}
    for name, (truth, tracklets, ids) in hypotheses.items():
        poses = merge_hypotheses(tracklets, ids, frames=len(truth), **options)
        made[name] = drop_short_tracks(replace(poses, frame_names=truth.frame_names, sequence=name))
    return made


def joint_errors(truth: Poses, found: Poses) -> np.ndarray:
    """(E,) distances, in head sizes, of annotated joints from those of the pose that fits the person best by OKS."""
    errors = []
    heads, areas = head_sizes(truth), pose_areas(truth)
    for f in range(len(truth)):
        rows, columns = (np.arange(*poses.frame_offsets[f : f + 2]) for poses in (truth, found))
        similarity = oks_matrix(
            found.keypoints[columns],
            truth.keypoints[rows],
            area=areas[rows],
            sigmas=np.array(truth.skeleton.sigmas, np.float32),
            a_visible=found.joint_visibility[columns],
            b_visible=truth.joint_visibility[rows],
        )
        partner = assign(-similarity.T, max_cost=-1e-6)
        a, b = rows[partner >= 0], columns[partner[partner >= 0]]
        both = (truth.joint_visibility[a] > 0) & (found.joint_visibility[b] > 0)
        distance = np.linalg.norm(truth.keypoints[a] - found.keypoints[b], axis=-1) / heads[a, None]
        errors.append(distance[both])
    return np.concatenate(errors)


def rows_of(network: str) -> list[dict]:
    train, val = (joined(part, NETWORKS[network]) for part in ("train", "val"))
    teachers, truth = ({name: one[0] for name, one in part.items()} for part in (train, val))
    rows = []
    for name, options in MERGES.items():
        thresholds = learn_joint_thresholds(teachers, merged(train, options))
        found = merged(val, options)
        errors = np.concatenate([joint_errors(truth[each], found[each]) for each in truth])
        shown = {each: drop_low_joints(poses, thresholds) for each, poses in found.items()}
        scores = evaluate(truth, shown)
        rows.append(
            {
                "network": network,
                "merge": name,
                "error_percent": float(100 * errors.mean()),  # of the head size
                "beyond_half_percent": float(100 * (errors > 0.5).mean()),
                "mota": float(scores.mota[-1]),
                "switches": int(scores.switches[-1]),
                "map": float(evaluate(truth, found).ap[-1]),
            }
        )
    return rows


def run() -> list[dict]:
    return [row for network in NETWORKS for row in rows_of(network)]


@pytest.mark.benchmark(group="merging quality")
def test_merging_quality(benchmark: Any) -> None:
    if not (DATA / "posetrack").is_dir():
        pytest.skip(f"needs the annotated sequences in {DATA}; set PTFAST_DATA")
    rows = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info |= {"rows": rows}
    for network in list(NETWORKS)[:3]:
        by_merge = {row["merge"]: row for row in rows if row["network"] == network}
        ours, baseline = by_merge["spatiotemporal"], by_merge["highest (the baseline merge)"]
        assert ours["error_percent"] < baseline["error_percent"]
        assert ours["mota"] > baseline["mota"]


if __name__ == "__main__":
    print(table(run()))
