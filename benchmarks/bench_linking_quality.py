"""Quality of each way of linking: annotated people found again at full and lower frame rates, and the official MOTA.

`pytest benchmarks/bench_linking_quality.py --benchmark-only` writes benchmarks/results/linking_quality.json and .png,
`python benchmarks/bench_linking_quality.py` prints the tables and writes the plot; both need the annotated sequences
that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.evaluation import evaluate_tracks
from ptfast.evaluation.posetrack import evaluate
from ptfast.io import read_sequences
from ptfast.structures import Poses
from ptfast.tracking import link

DATA = Path(os.environ.get("PTFAST_DATA", Path(__file__).parents[2] / "shared" / "data"))
RESULTS = Path(__file__).parent / "results"
SETS = {"posetrack/val": "posetrack/annotations/val", "somof/val": "somof/val"}
STRIDES = (1, 2, 4, 8)
ALL = {"min_score": None, "min_joint_score": None}
# The papers' linking: adjacent frames, evaluation's sigmas, no gate. Motion keeps link's other defaults.
PLAIN = {"motion": "none", "lookback": 1, "max_cost": None, "sigma_scale": 1.0}
METHODS = {
    **{f"{cost}, plain": {"cost": cost, **PLAIN} for cost in ("iou", "oks", "pckh")},
    **{f"{cost}, velocity": {"cost": cost} for cost in ("iou", "pckh")},
    "oks, no motion": {"motion": "none"},
    "defaults (oks, velocity)": {},
}
# Linking of detections for official MOTA: thresholds on people and joints, then the linker.
DETECTION_METHODS = {
    "iou, plain, no thresholds": {"cost": "iou", **PLAIN, **ALL},
    "iou, plain, scores >= 0.3": {"cost": "iou", **PLAIN, "min_score": 0.3, "min_joint_score": 0.3},
    "oks, plain, scores >= 0.3": {"cost": "oks", **PLAIN, "min_score": 0.3, "min_joint_score": 0.3},
    "oks, no motion": {"motion": "none"},
    "defaults (oks, velocity)": {},
}


def wrong_links(truth: Poses, ids: np.ndarray) -> tuple[int, int]:
    """People annotated in two consecutive frames whose link is not to themselves, and the number of such people.

    Args:
        truth: Annotated poses with true ids.
        ids: (N,) the linker's ids of the same rows.
    """
    wrong = links = 0
    last: dict[int, int] = {}
    for f in range(len(truth)):
        rows = range(truth.frame_offsets[f], truth.frame_offsets[f + 1])
        before = range(truth.frame_offsets[f - 1], truth.frame_offsets[f]) if f else range(0)
        true_row = {int(truth.track_ids[row]): row for row in before}
        for row in rows:
            if (own := true_row.get(int(truth.track_ids[row]))) is not None:
                links += 1
                wrong += last.get(int(ids[row])) != own
        last |= {int(ids[row]): row for row in rows}
    return wrong, links


def switches(truth: Poses, ids: np.ndarray) -> int:
    """Number of times that a person's id differs from the one of when they were last seen."""
    order = np.lexsort((np.arange(len(ids)), truth.track_ids))
    same_person = np.diff(truth.track_ids[order]) == 0
    return int((same_person & (np.diff(ids[order]) != 0)).sum())


def link_without_ids(poses: Poses, arguments: dict) -> Poses:
    return link(replace(poses, track_ids=np.full(len(poses.scores), -1)), **arguments, **ALL)


def annotated_rows() -> list[dict]:
    rows = []
    for title, folder in SETS.items():
        sequences = read_sequences(DATA / folder)
        for stride in STRIDES:
            truth = {name: poses[::stride] for name, poses in sequences.items()}
            for method, arguments in METHODS.items():
                linked = {name: link_without_ids(poses, arguments) for name, poses in truth.items()}
                pairs = [(truth[name], linked[name].track_ids) for name in truth]
                wrong, links = np.sum([wrong_links(*pair) for pair in pairs], 0).tolist()
                measures = evaluate_tracks(truth, linked)
                rows.append(
                    {
                        "set": title,
                        "stride": stride,
                        "method": method,
                        "wrong_links_percent": 100 * wrong / links,
                        "wrong_links": wrong,
                        "links": links,
                        "switches": sum(switches(*pair) for pair in pairs),
                        "idf1": measures.idf1,
                        "hota": measures.hota,
                    }
                )
    return rows


def detection_rows() -> list[dict]:
    truth = read_sequences(DATA / "posetrack/annotations/val")
    found = read_sequences(DATA / "posetrack/detections/val")
    rows = []
    for method, arguments in DETECTION_METHODS.items():
        linked = {name: link(poses, **arguments) for name, poses in found.items()}
        scores = evaluate(truth, linked)
        names = ("mota", "precision", "recall", "switches", "misses", "false_positives")
        rows.append({"method": method} | {name: float(getattr(scores, name)[-1]) for name in names})
    return rows


def table(rows: list[dict]) -> str:
    """Markdown, numbers to two decimals."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    for row in rows:
        cells = [f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: list[dict], path: Path) -> None:
    """Wrong links against stride, a panel for each set of sequences."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(SETS), figsize=(11, 4.2), sharey=True)
    for axis, title in zip(axes, SETS, strict=True):
        for method in METHODS:
            chosen = [row for row in rows if row["set"] == title and row["method"] == method]
            style = {"linewidth": 3, "color": "black"} if method.startswith("defaults") else {"linewidth": 1.5}
            percent = [max(row["wrong_links_percent"], 0.01) for row in chosen]
            axis.plot([row["stride"] for row in chosen], percent, marker="o", label=method, **style)
        axis.set(title=title, xlabel="every n-th frame", xscale="log", yscale="log", xticks=STRIDES)
        axis.set_xticklabels(STRIDES)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("wrong links, % (0.01 is none)")
    axes[-1].legend(loc="lower right", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def run() -> tuple[list[dict], list[dict]]:
    """All rows; writes their plot."""
    annotated, detected = annotated_rows(), detection_rows()
    plot(annotated, RESULTS / "linking_quality.png")
    return annotated, detected


@pytest.mark.benchmark(group="linking quality")
def test_linking_quality(benchmark: Any) -> None:
    peer("matplotlib")
    if not (DATA / "somof").is_dir():
        pytest.skip(f"needs the annotated sequences in {DATA}; set PTFAST_DATA")
    annotated, detected = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info |= {"annotated": annotated, "detections": detected}
    defaults = {(row["set"], row["stride"]): row for row in annotated if row["method"].startswith("defaults")}
    for stride, most in ((1, 0.15), (2, 0.8), (4, 4.0)):
        assert defaults["somof/val", stride]["wrong_links_percent"] <= most
    assert detected[-1]["mota"] >= 71
    assert detected[-1]["switches"] <= 500


if __name__ == "__main__":
    for rows in run():
        print(table(rows), end="\n\n")
    print(f"the plot is {RESULTS / 'linking_quality.png'}")
