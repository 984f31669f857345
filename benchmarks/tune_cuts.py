"""Choice of the thresholds by which Simple Baselines takes a frame for another scene's, on frames that train.

`python benchmarks/tune_cuts.py` writes to benchmarks/results/simple_baselines.json; `python benchmarks/make_tables.py`
writes its table into docs/simple-baselines.md. Pairs of frames with no cut between them are 1 to 4 frames apart in
films of training seeds, and in two real videos with a still camera, whose people MultiPose finds. Cuts are pairs from
two films, and pairs of pictures of the training part of coco_mini, brought to one size. Both settings vary together;
those with the fewest errors, cuts missed and frames wrongly taken for one, each kind of pair with the same weight, are
the best. Real pairs need the data that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from people_in_pictures import DATA, needed
from studies import TRAINING_SEED, films_from, save
from tqdm import tqdm
from tune_real_people import ANNOTATIONS, IMAGES

from ptfast.io import open_video, read_poses
from ptfast.methods import Online
from ptfast.methods.simple_baselines import Config
from ptfast.methods.simple_baselines.propagation import is_alike, is_cut
from ptfast.pipeline.flow import PointFlow, carry, load_point_flow
from ptfast.structures import Poses

FLOWS = (("sparse", None), ("dis-fast", 270))  # with the shorter side of the frames that they see
DISTANCES = (1, 2, 4)  # frames between those of a pair
FILMS, EVERY = 12, 8  # films, and frames between two pairs of one
VIDEOS = ("pedestrians.avi", "one_by_one.mp4")
VIDEO_EVERY = 25
PICTURES, SIZE = 120, (640, 480)
MAX_DIFFERENCE = (20.0, 30.0, 40.0, 50.0, 60.0, 255.0)
MAX_FAILED = (0.6, 0.75, 0.85, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Pair:
    """Two frames, and people in the first.

    Attributes:
        kind: What the pair is.
        cut: True where they are of different scenes.
        first, second: (H, W, 3) uint8, of one size.
        keypoints: (N, K, 2) float32, N at least 1, NaN where a joint is absent.
    """

    kind: str
    cut: bool
    first: np.ndarray
    second: np.ndarray
    keypoints: np.ndarray


def main() -> None:
    """Prints the tables and writes the figures."""
    pairs = [*tqdm(itertools.chain(film_pairs(), video_pairs(), picture_pairs()), desc="pairs")]
    kinds = list(dict.fromkeys(pair.kind for pair in pairs))
    configs = [
        Config(max_difference=difference, max_failed=failed)
        for difference, failed in itertools.product(MAX_DIFFERENCE, MAX_FAILED)
    ]
    shares = {}
    for name, side in FLOWS:
        flow = load_point_flow(name, short_side=side)
        wrong = np.array([errors(pair, flow, configs) for pair in tqdm(pairs, desc=name)])
        for kind in kinds:
            shares[f"{kind}, {name}"] = 100 * wrong[[pair.kind == kind for pair in pairs]].mean(0)
    mean = np.mean([*shares.values()], 0).round(2)
    order = sorted(range(len(configs)), key=lambda place: (mean[place], unusual(configs[place])))
    columns = shares | {"mean": mean}
    rows = [
        head(configs[place]) | {name: round(float(share[place]), 2) for name, share in columns.items()}
        for place in order
    ]
    counts = {kind: sum(pair.kind == kind for pair in pairs) for kind in kinds}
    save("simple_baselines", "cuts", rows, chosen=head(configs[order[0]]), pairs=counts)


def head(config: Config) -> dict[str, float]:
    """The settings that are tried."""
    return {name: getattr(config, name) for name in ("max_difference", "max_failed")}


def unusual(config: Config) -> int:
    """Number of settings that differ from the usual ones."""
    return sum(getattr(Config(), name) != value for name, value in head(config).items())


def errors(pair: Pair, flow: PointFlow, configs: Sequence[Config]) -> list[bool]:
    """For each setting, True where a pair is taken for what it is not."""
    first, second = flow.prepare(pair.first), flow.prepare(pair.second)
    moved, passed = carry(pair.keypoints, first, second, flow)
    counts = ~np.isnan(pair.keypoints[..., 0])
    passed &= counts
    ends = np.nan_to_num(pair.keypoints), np.nan_to_num(moved)
    alike = {config.max_difference: is_alike(pair.first, pair.second, *ends, config) for config in configs}
    return [
        is_cut(int((passed & alike[config.max_difference]).sum()), int(counts.sum()), config) != pair.cut
        for config in configs
    ]


def film_pairs() -> Iterator[Pair]:
    """Pairs of a film, and each film with the next one of its size."""
    films = list(films_from(TRAINING_SEED, FILMS).values())
    for number, film in enumerate(films):
        for start in range(0, len(film.poses) - max(DISTANCES), EVERY):
            keypoints, first = visible(film.poses.frame(start)), film.image(start)
            if not len(keypoints):
                continue
            for distance in DISTANCES:
                yield Pair("films", False, first, film.image(start + distance), keypoints)
            other = films[(number + 1) % len(films)].image(start)
            yield Pair("films, cut", True, first, resized(other, first.shape[1::-1]), keypoints)


def video_pairs() -> Iterator[Pair]:
    """Pairs of frames of real videos."""
    method = Online.load()
    for name in VIDEOS:
        path = needed(DATA / "video" / name)
        window: list[np.ndarray] = []
        for frame in open_video(path):
            window = [*window, frame.image][-max(DISTANCES) - 1 :]
            if frame.index % VIDEO_EVERY or len(window) <= max(DISTANCES):
                continue
            keypoints = visible(method.estimate([window[0]]))
            if len(keypoints):
                for distance in DISTANCES:
                    yield Pair("videos", False, window[0], window[distance], keypoints)


def picture_pairs() -> Iterator[Pair]:
    """Each picture with the one after it."""
    truth = read_poses(needed(ANNOTATIONS))
    images = [cv2.imread(str(IMAGES / name))[..., ::-1] for name in truth.frame_names[:PICTURES]]
    for number, image in enumerate(images):
        keypoints = visible(truth.frame(number)) * np.float32(np.divide(SIZE, image.shape[1::-1]))
        if len(keypoints):
            other = images[(number + 1) % len(images)]
            yield Pair("pictures, cut", True, resized(image, SIZE), resized(other, SIZE), keypoints)


def visible(poses: Poses) -> np.ndarray:
    """(N, K, 2) float32 joints, NaN where one is absent, of those who have one."""
    there = poses.joint_visibility > 0
    return np.where(there[..., None], poses.keypoints, np.nan).astype(np.float32)[there.any(1)]


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The image at another (width, height)."""
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


if __name__ == "__main__":
    main()
