"""Plots of the pages in docs/, from benchmarks/results."""

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


def queue_length(studies: dict[str, Any], path: Path) -> bool:
    """Simple Baselines' scores against L_Q, an axis for each detector; False if they have not been measured."""
    if "length" not in studies:
        return False
    rows = studies["length"]["rows"]
    detectors = list(dict.fromkeys(row["detector"] for row in rows))
    figure, axes = pyplot.subplots(1, len(detectors), figsize=(9, 3.6), squeeze=False)
    for axis, detector in zip(axes[0], detectors, strict=True):
        own = [row for row in rows if row["detector"] == detector]
        lengths = [row["L_Q"] for row in own]
        for score, mark in (("mAP", "s"), ("MOTA", "o")):
            axis.plot(lengths, [row[score] for row in own], marker=mark, label=score)
        axis.set(xlabel="L_Q, frames", title=f"{detector} detector", xticks=lengths)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("percent")
    axes[0, 0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True


def comparisons(times_as_fast: dict[str, float], path: Path) -> None:
    """Bars of the README's comparisons, by their captions: times as fast as another library."""
    captions, ratios = (list(values)[::-1] for values in (times_as_fast, times_as_fast.values()))  # the first on top
    figure, axis = pyplot.subplots(figsize=(11, 0.3 * len(ratios) + 1))
    bars = axis.barh(captions, ratios, color="#3b7dd8")
    axis.bar_label(bars, [f" {ratio:,.0f}" if ratio >= 10 else f" {ratio:.1f}" for ratio in ratios], fontsize=8)
    axis.axvline(1, color="black", linewidth=1)
    axis.set(xscale="log", xlabel="times as fast, one thread")
    axis.set_xlim(0.5, 4 * max(ratios))
    axis.tick_params(axis="y", labelsize=8)
    axis.margins(y=0.01)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def long_videos(rows: list[dict[str, Any]], path: Path) -> None:
    """Time and memory against frames, of 20 people, ours and the peers', and time against the lookback."""
    figure, (time, memory, lookback) = pyplot.subplots(1, 3, figsize=(13, 4.8))
    for row in (row for row in rows if row.get("people") == 20):
        frames = [each["frames"] for each in row["rows"]]
        style = {"linestyle": "--", "marker": "x"} if "peer_of" in row else {"marker": "o"}
        time.plot(frames, [each["seconds"] for each in row["rows"]], label=row["subject"], **style)
        megabytes = [max(each["peak_bytes"] / 2**20, 0.1) for each in row["rows"]]
        memory.plot(frames, megabytes, label=row["subject"], **style)
    time.set(xlabel="frames of 20 people", ylabel="seconds", xscale="log", yscale="log")
    memory.set(xlabel="frames of 20 people", ylabel="peak MiB beside the input (0.1 or less: none)", xscale="log")
    memory.set_yscale("log")
    [back] = [row["rows"] for row in rows if row["name"] == "test_lookback"]
    ks = [row["lookback"] for row in back]
    lookback.plot(ks, [1e3 * row["seconds"] for row in back], marker="o")
    lookback.set(xlabel="lookback K, frames", ylabel="ms to link 5,000 frames of 20 people", xscale="log", xticks=ks)
    lookback.set_xticklabels(ks)
    lookback.minorticks_off()
    lookback.set_ylim(bottom=0)
    for axis in (time, memory, lookback):
        axis.grid(alpha=0.3)
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    figure.legend(*time.get_legend_handles_labels(), loc="lower center", ncols=5, fontsize=8)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
