"""Pictures of the methods' pages in docs/, from benchmarks/results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

AXES = {"length": ("|C|", "frames of a clip"), "step": ("S", "frames from one key frame to the next")}


def clip_tracking(studies: dict[str, Any], path: Path) -> bool:
    """Figure 5 of the clip tracking paper: scores against clip length and step; False if they are not all there."""
    if not all(name in studies for name in AXES):
        return False
    figure, axes = pyplot.subplots(1, len(AXES), figsize=(9, 3.6), sharey=True)
    for axis, (name, (column, title)) in zip(axes, AXES.items(), strict=True):
        rows = studies[name]["rows"]
        places = [row[column] for row in rows]
        for score, mark in (("mAP", "s"), ("MOTA", "o")):
            axis.plot(places, [row[score] for row in rows], marker=mark, label=score)
        axis.set(xlabel=f"{column}, {title}", xticks=places)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("percent")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True
