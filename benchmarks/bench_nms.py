"""Non-maximum suppression of boxes, tubes and poses, against other libraries and NumPy loops.

HRNet is on no registry: PTFAST_HRNET names a checkout of leoxiaobin/deep-high-resolution-net.pytorch.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from peers import peer

from ptfast.ops import nms, nms_padded, oks_nms, oks_nms_padded, soft_oks_nms, tube_nms, tube_nms_padded
from ptfast.reference.boxes import tube_iou_matrix

one_thread = pytest.mark.parametrize("threads", [1], indirect=True)
one_and_two_threads = pytest.mark.parametrize("threads", [1, 2], indirect=True)
SIGMAS = np.random.default_rng(0).uniform(0.025, 0.107, 17).astype(np.float32)


def clusters(n: int, t: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Tubes (n, t, 4) float32, on average seven around each of n / 7 people, and their scores (n,), all different."""
    rng = np.random.default_rng(n)
    people = n // 7 + 1
    corner, size = rng.uniform(0, 1, (people, 1, 2)) * (1800, 900), rng.uniform(30, 120, (people, 1, 2)) * (1, 2)
    person = rng.integers(0, people, n)
    corner = corner[person] + rng.normal(0, 0.06, (n, t, 2)) * size[person]
    tubes = np.concatenate([corner, corner + size[person] * rng.uniform(0.9, 1.1, (n, t, 2))], -1)
    return tubes.astype(np.float32), rng.permutation(n).astype(np.float32) / n


def with_ptfast(boxes: np.ndarray, scores: np.ndarray) -> Callable:
    return lambda: nms(boxes, scores, 0.5)


def with_ptfast_padded(boxes: np.ndarray, scores: np.ndarray) -> Callable:
    return lambda: without_padding(*nms_padded(boxes, scores, 0.5))


def without_padding(kept: np.ndarray, count: int) -> np.ndarray:
    return kept[:count]


def fewest_pairs(n: int, kept: int) -> float:
    """Pairs whose overlap greedy suppression must know: each two that stay, and each other one with its suppressor."""
    return kept * (kept - 1) / 2 + n - kept


def with_torchvision(boxes: np.ndarray, scores: np.ndarray) -> Callable:
    operation, tensors = peer("torchvision.ops").nms, (torch.as_tensor(boxes), torch.as_tensor(scores))
    return lambda: operation(*tensors, 0.5)


@one_thread
def test_boxes_against_torchvision(
    benchmark: Any, threads: int, median_seconds: Callable[..., float], held_against: Callable[..., None]
) -> None:
    tubes, scores = clusters(1000)
    theirs, ours = with_torchvision(tubes[:, 0], scores), with_ptfast(tubes[:, 0], scores)
    assert list(ours()) == list(theirs())
    benchmark(ours)
    held_against(median_seconds(theirs, 31), at_least=8)


def with_opencv(boxes: np.ndarray, scores: np.ndarray) -> Callable:
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
    return lambda: cv2.dnn.NMSBoxes(sizes, scores, 0.0, 0.5)


def with_numpy(boxes: np.ndarray, scores: np.ndarray) -> Callable:
    return lambda: greedy(lambda i, others: tube_iou_matrix(boxes[[i], None], boxes[others, None])[0], scores, 0.5)


def greedy(overlap: Callable[[int, np.ndarray], np.ndarray], scores: np.ndarray, threshold: float) -> list[int]:
    """The usual loop: the best item, its overlap with all that are left, those below the threshold stay."""
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[overlap(best, order) <= threshold]
    return kept


@one_and_two_threads
@pytest.mark.parametrize("n", [20, 1000, 5000])
@pytest.mark.parametrize("library", [with_ptfast, with_ptfast_padded, with_torchvision, with_opencv, with_numpy])
def test_boxes(benchmark: Any, library: Callable, n: int, threads: int, roofline: Callable[..., None]) -> None:
    tubes, scores = clusters(n)
    boxes = tubes[:, 0]
    call, expected = library(boxes, scores), nms(boxes, scores, 0.5)
    assert list(call()) == expected.tolist()
    benchmark.group = f"nms of {n} boxes, {len(expected)} kept, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library in (with_ptfast, with_ptfast_padded):
        pairs = fewest_pairs(n, len(expected))  # each: an IoU's 12 flops (see bench_boxes) and a comparison
        roofline(boxes.nbytes + scores.nbytes + expected.nbytes, 13 * pairs)


@one_and_two_threads
@pytest.mark.parametrize("library", ["ptfast", "ptfast, padded", "numpy"])
def test_tubes(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    """No library has a suppression of tubes: the usual loop in NumPy."""
    tubes, scores = clusters(1000, 3)
    loop = lambda: greedy(lambda i, others: tube_iou_matrix(tubes[[i]], tubes[others])[0], scores, 0.5)  # noqa: E731
    expected = loop()
    call = {
        "ptfast": lambda: tube_nms(tubes, scores, 0.5),
        "ptfast, padded": lambda: without_padding(*tube_nms_padded(tubes, scores, 0.5)),
        "numpy": loop,
    }[library]
    assert list(call()) == expected
    benchmark.group = f"tube_nms of 1000 tubes of 3 frames, {len(expected)} kept, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library != "numpy":
        pairs = fewest_pairs(len(tubes), len(expected))  # each: 3 IoUs of 12 flops, their sum, a comparison
        roofline(tubes.nbytes + scores.nbytes + 8 * len(expected), (3 * 12 + 3) * pairs)


def poses(n: int) -> tuple[np.ndarray, ...]:
    """Keypoints (n, 17, 2), scores and areas (n,) of the people in clusters(n)."""
    tubes, scores = clusters(n)
    size = tubes[:, :, 2:] - tubes[:, :, :2]
    keypoints = tubes[:, :, :2] + size * np.random.default_rng(1).random((17, 2), dtype=np.float32)
    return keypoints, scores, size.prod(-1)[:, 0]


def oks_row(keypoints: np.ndarray, areas: np.ndarray, i: int, others: np.ndarray) -> np.ndarray:
    """OKS of pose i with others, all at once in NumPy."""
    squared = ((keypoints[i] - keypoints[others]) ** 2).sum(-1)
    area = (areas[i] + areas[others])[:, None] / 2
    return np.exp(-squared / (2 * SIGMAS) ** 2 / area / 2).mean(-1)


def oks_pairs(keypoints: np.ndarray, areas: np.ndarray, i: int, others: np.ndarray) -> np.ndarray:
    """The same, a Python loop over pairs, as HRNet's oks_nms has it."""
    result = np.zeros(len(others))
    for row, j in enumerate(others):
        x, y = (keypoints[i, :, axis] - keypoints[j, :, axis] for axis in (0, 1))
        term = (x**2 + y**2) / (2 * SIGMAS) ** 2 / ((areas[i] + areas[j]) / 2) / 2
        result[row] = np.sum(np.exp(-term)) / len(term)
    return result


@one_and_two_threads
@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize("library", ["ptfast", "ptfast, padded", "numpy", "loop over pairs"])
def test_poses(benchmark: Any, library: str, n: int, threads: int, roofline: Callable[..., None]) -> None:
    """Against loops in NumPy; HRNet's own has a test below."""
    if library == "loop over pairs" and threads > 1:
        pytest.skip("a loop in Python runs on one thread")
    keypoints, scores, areas = poses(n)
    row = oks_pairs if library == "loop over pairs" else oks_row
    call = {
        "ptfast": lambda: oks_nms(keypoints, scores, areas, SIGMAS, 0.7),
        "ptfast, padded": lambda: without_padding(*oks_nms_padded(keypoints, scores, areas, SIGMAS, 0.7)),
    }.get(library, lambda: greedy(lambda i, others: row(keypoints, areas, i, others), scores, 0.7))
    expected = oks_nms(keypoints, scores, areas, SIGMAS, 0.7).tolist()
    assert list(call()) == expected
    benchmark.group = f"oks_nms of {n} poses, {len(expected)} kept, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    if library == "loop over pairs":
        benchmark.pedantic(call, rounds=3 if n < 1000 else 1)
        return
    benchmark(call)
    if library != "numpy":
        terms = fewest_pairs(n, len(expected)) * len(SIGMAS)  # each: 7 flops and an exponential (see bench_oks)
        moved = keypoints.nbytes + scores.nbytes + areas.nbytes + 8 * len(expected)
        roofline(moved, 7 * terms, exponentials=terms)


@pytest.fixture(scope="module")
def hrnet() -> ModuleType:
    """HRNet's suppression, without its compiled parts, which oks_nms does not use."""
    if "PTFAST_HRNET" not in os.environ:
        pytest.skip("PTFAST_HRNET does not name a checkout of HRNet")
    for name in ("cpu_nms", "gpu_nms"):
        sys.modules[f"hrnet_nms.{name}"] = stub = ModuleType(name)
        setattr(stub, name, None)
    sys.modules["hrnet_nms"] = ModuleType("hrnet_nms")
    path = Path(os.environ["PTFAST_HRNET"], "lib", "nms", "nms.py")
    spec = spec_from_file_location("hrnet_nms.nms", path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@one_thread
@pytest.mark.parametrize("n", [100, 1000])
def test_poses_against_hrnet(
    benchmark: Any, hrnet: ModuleType, n: int, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    keypoints, scores, areas = poses(n)
    people = [
        {"keypoints": np.append(pose, np.ones((17, 1)), 1), "score": score, "area": area}
        for pose, score, area in zip(keypoints.astype(float), scores, areas.astype(float), strict=True)
    ]
    theirs = lambda: hrnet.oks_nms(people, 0.7, SIGMAS.astype(float))  # noqa: E731
    started = time.perf_counter()
    kept = list(theirs())
    seconds = time.perf_counter() - started
    assert oks_nms(keypoints, scores, areas, SIGMAS, 0.7).tolist() == kept
    benchmark(oks_nms, keypoints, scores, areas, SIGMAS, 0.7)
    held_against(median_seconds(theirs, 3) if seconds < 1 else seconds, at_least=300)


@one_and_two_threads
@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("library", ["ptfast", "numpy"])
def test_soft(benchmark: Any, library: str, n: int, threads: int, roofline: Callable[..., None]) -> None:
    """Against a loop in NumPy."""
    keypoints, scores, areas = poses(n)

    def loop() -> list[int]:
        order, left, kept = np.argsort(-scores), np.sort(scores)[::-1], []
        while len(order) and len(kept) < 20:
            kept.append(int(order[0]))
            left = left[1:] * np.exp(-(oks_row(keypoints, areas, order[0], order[1:]) ** 2) / 0.7)
            again = np.argsort(-left)
            order, left = order[1:][again], left[again]
        return kept

    call = {"ptfast": lambda: soft_oks_nms(keypoints, scores, areas, SIGMAS, 0.7)[0], "numpy": loop}[library]
    assert list(call()) == loop()
    benchmark.group = f"soft_oks_nms of {n} poses, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        terms = sum(n - taken for taken in range(1, 20)) * len(SIGMAS)  # 20 are taken; joints of the pairs before
        moved = keypoints.nbytes + scores.nbytes + areas.nbytes + 20 * (8 + 4)
        roofline(moved, 7 * terms, exponentials=terms)
