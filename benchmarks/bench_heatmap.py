"""Heatmap decoding: against HRNet's own code, the same in NumPy loops, and the time that reading the maps takes.

HRNet is on no registry: PTFAST_HRNET names a checkout of leoxiaobin/deep-high-resolution-net.pytorch.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from ptfast.ops import flip_average, heatmap_peaks, heatmap_to_image
from ptfast.skeletons import COCO_17

SHAPES = {"64x17x64x48": (64, 17, 64, 48), "64x17x96x72": (64, 17, 96, 72), "512x17x64x48": (512, 17, 64, 48)}
one_and_two_threads = pytest.mark.parametrize("threads", [1, 2], indirect=True)
Decoded = tuple[np.ndarray, np.ndarray]  # coordinates (N, K, 2) in image pixels, scores (N, K)


@pytest.fixture(scope="module")
def hrnet() -> ModuleType:
    """HRNet's decoder."""
    if "PTFAST_HRNET" not in os.environ:
        pytest.skip("PTFAST_HRNET does not name a checkout of HRNet")
    sys.path.insert(0, os.path.join(os.environ["PTFAST_HRNET"], "lib"))
    try:
        from core import inference
    except ImportError as error:
        pytest.skip(f"HRNet's code does not load: {error}")
    finally:
        sys.path.pop(0)
    return inference


@cache
def people(batch: int, joints: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Output of a pose network: maps (N, K, H, W) with a bump each, and the crops' boxes (N, 4)."""
    random = np.random.default_rng(0)
    x, y = (random.uniform(0, size, (batch, joints, 1, 1)).astype(np.float32) for size in (width, height))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    maps = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    maps += random.standard_normal(maps.shape, dtype=np.float32) * np.float32(0.01)
    corner, scale = random.uniform(0, 1000, (batch, 2)), random.uniform(1, 8, (batch, 1))
    return maps, np.concatenate([corner, corner + scale * (width, height)], 1)


def with_ptfast(maps: np.ndarray, boxes: np.ndarray, refine: str = "quarter") -> Decoded:
    coordinates, scores = heatmap_peaks(maps, refine=refine)
    return heatmap_to_image(coordinates, boxes, heatmap_size=maps.shape[-2:]), scores


def with_hrnet(inference: ModuleType, maps: np.ndarray, boxes: np.ndarray) -> Decoded:
    config = SimpleNamespace(TEST=SimpleNamespace(POST_PROCESS=True))
    centres, scales = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 200
    coordinates, scores = inference.get_final_preds(config, maps, centres, scales)
    return coordinates, scores[..., 0]


def with_numpy(maps: np.ndarray, boxes: np.ndarray, refine: Callable | None = None) -> Decoded:
    """argmax of all maps at once, then a loop over them, as decoders in Python have it."""
    *_, height, width = maps.shape
    flat = maps.reshape(-1, height * width)
    places = flat.argmax(1)
    scores = np.take_along_axis(flat, places[:, None], 1)
    points = np.stack([places % width, places // width], 1).astype(np.float64)
    for heatmap, point in zip(flat.reshape(-1, height, width), points, strict=True):
        point += (refine or quarter)(heatmap, *point.astype(int))
    size = boxes[:, None, 2:] - boxes[:, None, :2]
    image = (points.reshape(*maps.shape[:2], 2) / (width, height) - 0.5) * size + boxes[:, None, :2] + size / 2
    return image, scores.reshape(maps.shape[:2])


def quarter(heatmap: np.ndarray, x: int, y: int) -> np.ndarray:
    if not (1 < x < heatmap.shape[1] - 1 and 1 < y < heatmap.shape[0] - 1):
        return np.zeros(2)
    return 0.25 * np.sign([heatmap[y, x + 1] - heatmap[y, x - 1], heatmap[y + 1, x] - heatmap[y - 1, x]])


def taylor(heatmap: np.ndarray, x: int, y: int) -> np.ndarray:
    """The whole map blurred by OpenCV, as DARK's code has it."""
    blurred = cv2.GaussianBlur(np.pad(heatmap.astype(np.float64), 5), (11, 11), 0)[5:-5, 5:-5]
    log = np.log(np.maximum(blurred * (heatmap.max() / blurred.max()), 1e-10))
    if not (1 < x < heatmap.shape[1] - 2 and 1 < y < heatmap.shape[0] - 2):
        return np.zeros(2)
    dx, dy = log[y, x + 1] - log[y, x - 1], log[y + 1, x] - log[y - 1, x]
    dxx, dyy = log[y, x + 2] + log[y, x - 2] - 2 * log[y, x], log[y + 2, x] + log[y - 2, x] - 2 * log[y, x]
    dxy = log[y + 1, x + 1] + log[y - 1, x - 1] - log[y + 1, x - 1] - log[y - 1, x + 1]
    return -2 * np.linalg.solve([[dxx, dxy], [dxy, dyy]], [dx, dy])


@cache
def read_gb_per_s(threads: int) -> float:
    """Bandwidth of reading memory, by NumPy's maximum of an array that no cache holds."""
    parts = np.array_split(np.ones(1 << 27, np.float32), threads)
    with ThreadPoolExecutor(threads) as pool:
        times = [seconds(lambda: list(pool.map(np.max, parts))) for _ in range(9)]
    return sum(part.nbytes for part in parts) / float(np.median(times)) / 1e9


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def assert_equal(found: Decoded, expected: Decoded) -> None:
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=2e-3)  # HRNet's affine is solved in float32


def decoding(maps: np.ndarray) -> tuple[float, float]:
    """Bytes and flops for the roofline: the maps, a box and its joints' places and scores; a comparison a pixel."""
    return maps.nbytes + maps.shape[0] * (4 * 8 + maps.shape[1] * 3 * 4), maps.size


@one_and_two_threads
@pytest.mark.parametrize("size", SHAPES)
def test_quarter_against_hrnet(
    benchmark: Any, hrnet: ModuleType, size: str, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None], roofline: Callable[..., None],
) -> None:  # fmt: skip
    maps, boxes = people(*SHAPES[size])
    assert_equal(with_ptfast(maps, boxes), with_hrnet(hrnet, maps, boxes))
    benchmark.group = f"decoding of {size}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(with_ptfast, (maps, boxes), rounds=51, warmup_rounds=3)
    roofline(*decoding(maps))
    theirs = median_seconds(lambda: with_hrnet(hrnet, maps, boxes), 3)
    held_against(theirs, at_least=12 if size == "64x17x64x48" else 0)


@one_and_two_threads
@pytest.mark.parametrize("size", SHAPES)
def test_quarter_against_reading(benchmark: Any, size: str, threads: int, roofline: Callable[..., None]) -> None:
    """Beside "bound_s", which takes the bandwidth of a copy, "reading_s": the maps are all read and nothing is written.

    So the time may be held against the very bytes that the operation cannot avoid.
    """
    maps, _ = people(*SHAPES[size])
    benchmark.group = f"peaks of {size}, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(heatmap_peaks, (maps,), {"refine": "quarter"}, rounds=51, warmup_rounds=3)
    reading = maps.nbytes / read_gb_per_s(threads) / 1e9
    benchmark.extra_info |= {"library": "ptfast", "reading_s": reading}
    roofline(*decoding(maps))
    if size == "512x17x64x48" and benchmark.stats is not None:
        assert benchmark.stats.stats.median <= 2 * reading


@one_and_two_threads
@pytest.mark.parametrize("refine", ["quarter", "taylor"])
def test_against_numpy(
    benchmark: Any, refine: str, threads: int, median_seconds: Callable[..., float],
    held_against: Callable[..., None], roofline: Callable[..., None],
) -> None:  # fmt: skip
    maps, boxes = people(64, 17, 64, 48)
    loop = {"quarter": quarter, "taylor": taylor}[refine]
    assert_equal(with_ptfast(maps, boxes, refine), with_numpy(maps, boxes, loop))
    benchmark.group = f"{refine} beside a loop in NumPy, 64x17x64x48, {threads} thread{'s' * (threads > 1)}"
    benchmark.pedantic(with_ptfast, (maps, boxes, refine), rounds=51, warmup_rounds=3)
    roofline(*decoding(maps))
    held_against(median_seconds(lambda: with_numpy(maps, boxes, loop), 3))


def averaged(maps: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """flip_average in NumPy, as HRNet's test code has it."""
    turned = flipped[..., ::-1].copy()
    for a, b in COCO_17.flip_pairs:
        turned[:, [a, b]] = turned[:, [b, a]]
    turned[..., 1:] = turned[..., :-1].copy()
    return (maps + turned) * np.float32(0.5)


@one_and_two_threads
@pytest.mark.parametrize("library", ["ptfast", "numpy"])
def test_flip_average(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    maps, _ = people(64, 17, 64, 48)
    flipped = maps[..., ::-1] + np.float32(0.1)
    call = {
        "ptfast": lambda: flip_average(maps, flipped, COCO_17.flip_pairs),
        "numpy": lambda: averaged(maps, flipped),
    }[library]
    np.testing.assert_array_equal(call(), averaged(maps, flipped))
    benchmark.group = f"mean of 64x17x64x48 and the mirrored maps, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        roofline(3 * maps.nbytes, 2 * maps.size)  # two maps read, one written; a sum and a half of it


@one_and_two_threads
@pytest.mark.parametrize("library", ["ptfast", "opencv, person by person"])
def test_heatmap_to_image(benchmark: Any, library: str, threads: int, roofline: Callable[..., None]) -> None:
    """Against an affine map for each person, as HRNet's decoder has it."""
    rng = np.random.default_rng(0)
    corner, scale = rng.uniform(0, 1000, (512, 2)), rng.uniform(1, 8, (512, 1))
    boxes, joints = np.concatenate([corner, corner + scale * (48, 64)], 1), rng.uniform(0, (48, 64), (512, 17, 2))

    def person_by_person() -> np.ndarray:
        places = []
        for (x1, y1, x2, y2), points in zip(boxes, joints, strict=True):
            shown = np.array([[x1, y1], [x2, y1], [x1, y2]], np.float32)
            affine = cv2.getAffineTransform(np.array([[0, 0], [48, 0], [0, 64]], np.float32), shown)
            places.append(points @ affine[:, :2].T + affine[:, 2])
        return np.stack(places)

    ours = lambda: heatmap_to_image(joints, boxes, heatmap_size=(64, 48))  # noqa: E731
    call = {"ptfast": ours, "opencv, person by person": person_by_person}[library]
    np.testing.assert_allclose(call(), ours(), rtol=0, atol=2e-3)  # OpenCV takes float32 corners
    benchmark.group = f"17 joints of 512 people from heatmap to image, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library
    benchmark(call)
    if library == "ptfast":
        roofline(2 * joints.nbytes + boxes.nbytes, 2 * joints.size)  # a product and a sum for each number


@one_and_two_threads
@pytest.mark.parametrize("way", ["ptfast, fused", "ptfast, two passes", "numpy"])
def test_flipped(benchmark: Any, way: str, threads: int, roofline: Callable[..., None]) -> None:
    maps, _ = people(64, 17, 64, 48)
    flipped, pairs = maps[..., ::-1] + np.float32(0.1), COCO_17.flip_pairs
    call = {
        "ptfast, fused": lambda: heatmap_peaks(maps, refine="quarter", flipped=flipped, flip_pairs=pairs),
        "ptfast, two passes": lambda: heatmap_peaks(flip_average(maps, flipped, pairs), refine="quarter"),
        "numpy": lambda: heatmap_peaks(averaged(maps, flipped), refine="quarter"),
    }[way]
    expected = heatmap_peaks(averaged(maps, flipped), refine="quarter")
    for found, wanted in zip(call(), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    benchmark.group = f"peaks of 64x17x64x48 and their mirrored maps, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = way
    benchmark.pedantic(call, rounds=31, warmup_rounds=3)
    if way != "numpy":
        roofline(2 * maps.nbytes, 3 * maps.size)  # both maps read; a sum, a half of it and a comparison a pixel
