"""Optical flow side by side: how well it carries people's joints from one frame to the next, and in what time.

`python benchmarks/study_flow.py` runs every part, writes benchmarks/results/optical_flow.json and the tables of
docs/flow.md. `--part films` and the like run some parts, the others' figures stay:

- check: how far a joint may be off after going there and back again, the window of Lucas-Kanade, where its steps end,
  and the size at which images are seen, on films of training seeds, where these are chosen;
- films: the first films of the test set, whose flow the renderer knows;
- posetrack: the annotated frames of a real sequence, whose joints' displacement counts;
- time: a film of 960x540 pixels with eight people.

Networks are measured too if `--networks` names them: `raft-small` and the like, whose weights are fetched, or files of
weights, such as `run/weights.safetensors` of `ptfast train flow`. The real sequence needs
the data that PTFAST_DATA (default ../shared/data) holds. A time is the processor's, on one thread, of preparing a frame
and carrying the joints of all people to it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import method_tables
import numpy as np
import torch
from conftest import machine
from make_tables import write_page
from people_in_pictures import DATA, read_image
from studies import save
from tqdm import tqdm

import ptfast
from ptfast.io import read_poses
from ptfast.models import FlowNet2S, FlowNetArchitecture
from ptfast.ops import sample_flow
from ptfast.pipeline.flow import FLOW_NAMES, DenseFlow, NetworkFlow, SparseFlow, load_point_flow
from ptfast.pipeline.flow.carrying import with_median
from ptfast.pipeline.weights import load_flow_weights
from ptfast.structures import Poses, head_sizes
from ptfast.synthetic import Film, load_test_set, render
from ptfast.synthetic.splits import TEST_SEEDS

FILE = "optical_flow"
SEQUENCE = "470979_bonn"
ESTIMATORS = ("sparse", "dis-ultrafast", "dis-fast", "dis-medium", "farneback")
SHORT_SIDES = (256, 480, None)
CHECKS = (None, 0.5, 1.0, 2.0, 4.0)
LARGE = (960, 540)
SPARSE_SETTINGS = (
    *({"window": window} for window in (9, 11, 15, 16, 21, 24, 31)),
    *({"steps": steps, "least_step": least} for steps, least in ((5, 0.03), (10, 0.01), (20, 0.03), (30, 0.01))),
)
HALF_A_HEAD = 0.5
STILL_AND_TRUE: tuple[Literal["none", "true"], ...] = ("none", "true")
Measured = DenseFlow | SparseFlow | Literal["none", "true"]


@dataclass(frozen=True)
class Pair:
    """Two consecutive frames, and where the joints of N people of the first one really are in the second.

    Attributes:
        images: (H, W, 3) uint8 each.
        points: (N, K, 2) float32, those of the first; NaN where a joint is not annotated in both.
        moved: (N, K, 2) float32, those of the second.
        flow: (N, K, 2) float32 pixels, the true flow at the points, as far as it is known.
        visible: (N, K) bool, where the flow is that of the joint.
        heads: (N,) float32 pixels.
    """

    images: tuple[np.ndarray, np.ndarray]
    points: np.ndarray
    moved: np.ndarray
    flow: np.ndarray
    visible: np.ndarray
    heads: np.ndarray


@dataclass
class Sums:
    """What an estimator does, joint by joint."""

    error: list[np.ndarray] = field(default_factory=list)  # pixels, of the flow where the joint is visible
    carried: list[np.ndarray] = field(default_factory=list)  # pixels, of all joints after the median
    near: list[np.ndarray] = field(default_factory=list)  # within half a head
    failed: list[np.ndarray] = field(default_factory=list)
    frames: int = 0
    seconds: float = 0.0

    def row(self) -> dict[str, Any]:
        """The figures."""
        error, carried, near, failed = map(np.concatenate, (self.error, self.carried, self.near, self.failed))
        return {
            "error, px": round(float(error.mean()), 2),
            "carried, px": round(float(carried.mean()), 2),
            "carried, 95 % within px": round(float(np.quantile(carried, 0.95)), 2),
            "within half a head, %": round(100 * float(near.mean()), 2),
            "failed, %": round(100 * float(failed.mean()), 1),
            "ms a frame": round(1000 * self.seconds / self.frames, 2),
        }


def main() -> None:
    """Runs the parts, and writes the page."""
    parts = {"check": study_check, "films": study_films, "posetrack": study_posetrack, "time": study_time}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=parts, nargs="+", default=list(parts))
    parser.add_argument("--films", type=int, default=4, help="of the test set and of training seeds (4)")
    known = ", ".join(FLOW_NAMES[-3:])
    parser.add_argument("--networks", nargs="*", default=[], metavar="NETWORK", help=f"{known}, or files of weights")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    ptfast.set_num_threads(1)
    for name in options.part:
        parts[name](options)
    write_page("flow", FILE, method_tables.FLOW)


def study_check(options: argparse.Namespace) -> None:
    """Bounds of the check there and back again, windows and sizes, on training seeds."""
    films = [render(seed, frames=64, people=6, pan=4, shake=0.2) for seed in range(1, options.films + 1)]
    pairs = [pair for film in films for pair in film_pairs(film)]
    rows = []
    for name in ("sparse", "dis-fast"):
        for most in CHECKS:
            figures = measured(load_point_flow(name, max_error=most), pairs, f"{name}, {most}")
            rows.append({"flow": name, "at most px off": said(most)} | figures)
    save(FILE, "check", rows, machine=machine(), films=len(films), pairs=len(pairs))
    film = render(options.films + 1, frames=48, people=8, size=LARGE, pan=4, shake=0.2)
    study_sparse({"256x256": pairs, "960x540": list(film_pairs(film))})


def study_sparse(films: dict[str, list[Pair]]) -> None:
    """Settings of Lucas-Kanade on films of two sizes, and the sizes at which it sees images on the larger one."""
    reduced = [("960x540", {"short_side": side}) for side in SHORT_SIDES[:-1]]
    rows = []
    for size, settings in (*itertools.product(films, SPARSE_SETTINGS), *reduced):
        flow = SparseFlow(**settings)
        head = {"film": size, "window": flow.window, "steps": flow.steps, "least step, px": flow.least_step}
        head["short side"] = said(flow.short_side, "its own")
        rows.append(head | measured(flow, films[size], f"{size}, {settings}"))
    save(FILE, "window", rows, machine=machine(), pairs=sum(map(len, films.values())))


def study_films(options: argparse.Namespace) -> None:
    """Every estimator on films of the test set, which are as large as the smallest size at which images are seen."""
    films = load_test_set()[: options.films]
    pairs = [pair for film in films for pair in film_pairs(film)]
    rows = [{"flow": name, "check": ""} | measured(name, pairs, name) for name in STILL_AND_TRUE]
    for name in (*ESTIMATORS, *options.networks):
        rows += checked_rows(name, None, pairs)
    save(FILE, "films", rows, machine=machine(), films=len(films), pairs=len(pairs))


def study_posetrack(options: argparse.Namespace) -> None:
    """Every estimator at every size on a real sequence."""
    path = DATA / "posetrack" / "annotations" / "val" / f"{SEQUENCE}.json"
    if not path.exists():
        raise SystemExit(f"needs {path}; set PTFAST_DATA to the folder of the data")
    poses = read_poses(path)
    images = [read_image(DATA / "posetrack" / name) for name in poses.frame_names or ()]
    pairs = list(real_pairs(poses, images))
    rows = [{"flow": "none", "short side": "", "check": ""} | measured("none", pairs, "none")]
    for name in (*ESTIMATORS, *options.networks):
        for side in SHORT_SIDES:
            rows += [
                {"flow": row.pop("flow"), "short side": said(side, "its own")} | row
                for row in checked_rows(name, side, pairs)
            ]
    size = "x".join(map(str, images[0].shape[1::-1]))
    save(FILE, "posetrack", rows, machine=machine(), pairs=len(pairs), size=size)


def study_time(options: argparse.Namespace) -> None:
    """The time of every estimator at every size, on a large film."""
    film = render(TEST_SEEDS, frames=24, people=8, size=LARGE, pan=4)
    pairs = list(film_pairs(film))
    rows = []
    for name in (*ESTIMATORS, *options.networks):
        row: dict[str, Any] = {"flow": title(name)}
        for side in SHORT_SIDES:
            for most, also in ((1.0, "checked"), (None, "unchecked")):
                figures = measured(load_point_flow(name, short_side=side, max_error=most), pairs, f"{name}, {side}")
                row[f"{said(side, 'its own')}, {also}"] = figures["ms a frame"]
        rows.append(row)
    there = {row["flow"] for row in rows}
    rows += [network_times(width, pairs[:3]) for width in (1.0, 0.25) if width_title(width) not in there]
    save(FILE, "time", rows, machine=machine(), pairs=len(pairs), people=8)


def network_times(width: float, pairs: list[Pair]) -> dict[str, Any]:
    """The time of FlowNet2-S, which does not depend on its weights: these are random ones."""
    row: dict[str, Any] = {"flow": width_title(width)}
    for side in SHORT_SIDES:
        flow = DenseFlow(NetworkFlow(FlowNet2S(FlowNetArchitecture(width)), short_side=side))
        row[f"{said(side, 'its own')}, unchecked"] = measured(flow, pairs, row["flow"])["ms a frame"]
    return row


def checked_rows(name: str, side: int | None, pairs: list[Pair]) -> Iterator[dict[str, Any]]:
    """An estimator's figures with the check there and back again, and without."""
    for most, also in ((1.0, "there and back"), (None, "inside")):
        flow = load_point_flow(name, short_side=side, max_error=most)
        yield {"flow": title(name), "check": also} | measured(flow, pairs, f"{name}, {side}, {also}")


def title(name: str) -> str:
    """An estimator in a table: a FlowNet2-S in a file is named by its width."""
    if name in (*ESTIMATORS, *FLOW_NAMES):
        return name
    model = load_flow_weights(name)
    return width_title(model.architecture.width) if isinstance(model, FlowNet2S) else Path(name).stem


def width_title(width: float) -> str:
    """A FlowNet2-S of a width in a table."""
    return f"flownet2s of width {width:g}"


def said(value: float | None, otherwise: str = "no check") -> str:
    """A setting in a table."""
    return otherwise if value is None else f"{value:g}"


def film_pairs(film: Film) -> Iterator[Pair]:
    """The pairs of consecutive frames of a film, with the renderer's flow at joints."""
    frames = [film.frame(index, flow=True) for index in range(len(film))]
    for index in range(len(film) - 1):
        pair = pair_of(film.poses, index, (frames[index].image, frames[index + 1].image))
        flow, inside = sample_flow(frames[index].flow, pair.points)
        yield replace(pair, flow=flow, visible=pair.visible & inside)


def real_pairs(poses: Poses, images: list[np.ndarray]) -> Iterator[Pair]:
    """The pairs of consecutive frames of an annotated sequence; the joints' displacement is their flow."""
    for index in range(len(images) - 1):
        yield pair_of(poses, index, (images[index], images[index + 1]))


def pair_of(poses: Poses, index: int, images: tuple[np.ndarray, np.ndarray]) -> Pair:
    """A frame and the next one, with the people who are in both."""
    now, then = poses.frame(index), poses.frame(index + 1)
    _, here, there = np.intersect1d(now.track_ids, then.track_ids, return_indices=True)
    known = (now.joint_visibility[here] > 0) & (then.joint_visibility[there] > 0)
    points = np.where(known[..., None], now.keypoints[here], np.nan).astype(np.float32)
    moved = np.where(known[..., None], then.keypoints[there], np.nan).astype(np.float32)
    visible = known & (now.joint_visibility[here] == 2)
    return Pair(images, points, moved, moved - points, visible, head_sizes(now)[here])


def measured(flow: Measured, pairs: Iterable[Pair], title: str) -> dict[str, Any]:
    """The figures of an estimator on pairs of frames, or of joints that stay ("none") or follow the true flow."""
    sums = Sums()
    for pair in tqdm(list(pairs), title, unit="pair", leave=False):
        known = np.isfinite(pair.points).all(2)
        if not known.any():
            continue
        shift, carried, ok = shifts(flow, pair, sums)
        off = np.linalg.norm(carried - pair.moved, axis=2)
        sums.error.append(np.linalg.norm(shift - pair.flow, axis=2)[pair.visible])
        sums.carried.append(off[known])
        sums.near.append((off <= HALF_A_HEAD * pair.heads[:, None])[known])
        sums.failed.append(~ok[known])
    return sums.row()


def shifts(flow: Measured, pair: Pair, sums: Sums) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The flow at joints, where they are carried to, and which passed the check; books the time of one frame."""
    sums.frames += 1
    if isinstance(flow, str):
        shift = pair.flow if flow == "true" else np.zeros_like(pair.points)
        return shift, pair.points + shift, np.isfinite(pair.points).all(2)
    first = flow.prepare(pair.images[0])  # the frame before has paid for it
    start = time.process_time()
    second = flow.prepare(pair.images[1])
    found, sure = flow.move(pair.points.reshape(-1, 2), first, second)
    moved, ok = found.reshape(pair.points.shape), sure.reshape(pair.points.shape[:2])
    carried = with_median(pair.points, moved, ok)
    sums.seconds += time.process_time() - start
    return moved - pair.points, carried, ok


if __name__ == "__main__":
    main()
