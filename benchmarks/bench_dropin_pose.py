"""Drop-ins for HRNet's, mmpose's and ultralytics' functions against the originals, from one pose to many.

HRNet is on no registry: PTFAST_HRNET names a checkout of leoxiaobin/deep-high-resolution-net.pytorch. Of mmpose, whose
own requirements are many, the files in question are loaded alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin import hrnet, mmpose, ultralytics
from ptfast.skeletons import COCO_17

one_thread = pytest.mark.parametrize("threads", [1], indirect=True)  # also where the work is too little for two
CONFIG = SimpleNamespace(TEST=SimpleNamespace(POST_PROCESS=True))
SIGMAS = np.asarray(COCO_17.sigmas, np.float32)


def load(name: str, path: Path, **options: Any) -> ModuleType:
    """The module of a file, or a skip."""
    spec = spec_from_file_location(name, path, **options)
    assert spec and spec.loader
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        pytest.skip(f"{path} does not load: {error}")
    return module


@pytest.fixture(scope="module")
def originals() -> SimpleNamespace:
    """HRNet's suppression, without its compiled parts, which poses do not use, and its decoder."""
    if "PTFAST_HRNET" not in os.environ:
        pytest.skip("PTFAST_HRNET does not name a checkout of HRNet")
    library = Path(os.environ["PTFAST_HRNET"]) / "lib"
    for name in ("cpu_nms", "gpu_nms"):
        sys.modules[f"hrnet_nms.{name}"] = stub = ModuleType(name)
        setattr(stub, name, None)
    sys.modules["hrnet_nms"] = ModuleType("hrnet_nms")
    sys.path.insert(0, str(library))
    try:
        parts = load("hrnet_nms.nms", library / "nms/nms.py"), load("hrnet_inference", library / "core/inference.py")
    finally:
        sys.path.pop(0)
    return SimpleNamespace(
        **vars(parts[0]), **{name: vars(parts[1])[name] for name in ("get_max_preds", "get_final_preds")}
    )


@pytest.fixture(scope="module")
def codecs() -> ModuleType:
    """mmpose's codecs.utils."""
    spec = find_spec("mmpose")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("mmpose is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "codecs" / "utils"
    return load("mmpose_codecs_utils", folder / "__init__.py", submodule_search_locations=[str(folder)])


@cache
def poses(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 51) x, y, visibility in clusters of about seven, as detectors give them, and areas (n,)."""
    random = np.random.default_rng(n)
    size = random.uniform(40, 160, (n // 7 + 1, 1, 2)) * (1, 2)
    body = random.uniform(0, 1, (n // 7 + 1, 1, 2)) * (1800, 900) + random.random((n // 7 + 1, 17, 2)) * size
    person = np.sort(random.integers(0, n // 7 + 1, n))
    places = body[person] + random.normal(0, 0.05, (n, 17, 2)) * size[person]
    rows = np.concatenate([places, random.random((n, 17, 1))], -1).reshape(n, -1)
    return rows.astype(np.float32), size[person].prod(-1)[:, 0]


def people(n: int) -> list[dict[str, Any]]:
    rows, areas = poses(n)
    scores = np.random.default_rng(0).permutation(n) / n
    return [
        {"keypoints": row.reshape(17, 3), "score": score, "area": area}
        for row, score, area in zip(rows, scores, areas, strict=True)
    ]


@cache
def heatmaps(batch: int, joints: int = 17) -> np.ndarray:
    """(batch, joints, 64, 48) with a bump each."""
    random = np.random.default_rng(0)
    x, y = (random.uniform(2, size - 3, (batch, joints, 1, 1)) for size in (48, 64))
    rows, columns = np.mgrid[:64, :48]
    maps = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8) + random.normal(0, 0.01, (batch, joints, 64, 48))
    return maps.astype(np.float32)


def hrnet_call(functions: Any, function: str, n: int) -> Callable[[], Any]:
    """A function of HRNet or of the drop-in on n poses or images; with "visible", on joints over a visibility."""
    name, _, visible = function.partition(", ")
    threshold, call = (0.2 if visible else None), getattr(functions, name)
    if name == "oks_iou":
        rows, areas = poses(n + 1)
        return lambda: call(rows[0], rows[1:], areas[0], areas[1:], None, threshold)
    if name in ("oks_nms", "soft_oks_nms"):
        crowd = people(n)
        return lambda: np.asarray(call(crowd, 0.6, None, threshold))
    maps = heatmaps(n)
    if name == "get_max_preds":
        return lambda: np.concatenate(call(maps), -1)
    random = np.random.default_rng(0)
    centre, scale = random.uniform(0, 1000, (n, 2)), random.uniform(0.3, 3, (n, 2))
    return lambda: np.concatenate(call(CONFIG, maps, centre, scale), -1)


def compare(
    benchmark: Any, group: str, ours: Callable[[], Any], theirs: Callable[[], Any], tolerance: float,
    median_seconds: Callable[..., float], held_against: Callable[..., None], peer: str,
) -> None:  # fmt: skip
    np.testing.assert_allclose(ours(), theirs(), rtol=tolerance, atol=tolerance)
    benchmark.group = group
    benchmark(ours)
    once = median_seconds(theirs, 1)
    held_against(median_seconds(theirs, 3 if once > 0.1 else 31), peer=peer)


@one_thread
@pytest.mark.parametrize("n", [1, 2, 5, 20, 300])
@pytest.mark.parametrize("function", ["oks_iou", "oks_iou, visible", "oks_nms", "oks_nms, visible", "soft_oks_nms"])
def test_hrnets_poses(
    benchmark: Any, originals: SimpleNamespace, function: str, n: int, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    calls = (hrnet_call(functions, function, n) for functions in (hrnet, originals))
    # float32 differences are squared in float32 there
    compare(benchmark, f"HRNet's {function} of {n}", *calls, 1e-5, median_seconds, held_against, "HRNet")


@pytest.mark.parametrize(("n", "threads"), [(1, 1), (8, 1), (64, 1), (64, 2)], indirect=["threads"])
@pytest.mark.parametrize("function", ["get_max_preds", "get_final_preds"])
def test_hrnets_decoding(
    benchmark: Any, originals: SimpleNamespace, function: str, n: int, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    calls = (hrnet_call(functions, function, n) for functions in (hrnet, originals))
    group = f"HRNet's {function} of {n} x 17 x 64 x 48{' on two threads' * (threads > 1)}"
    compare(benchmark, group, *calls, 1e-6, median_seconds, held_against, "HRNet")


MMPOSE: dict[str, Callable[[Any, np.ndarray, np.ndarray], np.ndarray]] = {
    "get_heatmap_maximum": lambda package, maps, where: package.get_heatmap_maximum(maps)[0],
    "refine_keypoints": lambda package, maps, where: package.refine_keypoints(where.copy(), maps),
    # it overwrites the maps, so that each call has a copy of them, as mmpose's own decoders make one
    "refine_keypoints_dark": lambda package, maps, where: package.refine_keypoints_dark(where.copy(), maps.copy(), 11),
    "refine_keypoints_dark beside peaks": lambda package, maps, where: package.refine_keypoints_dark(
        where + np.float32(1), maps.copy(), 11
    ),
}


@one_thread
@pytest.mark.parametrize(("instances", "joints"), [(1, 1), (1, 17), (10, 17)])
@pytest.mark.parametrize("function", MMPOSE)
def test_mmposes_decoding(
    benchmark: Any, codecs: ModuleType, function: str, instances: int, joints: int, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    maps = heatmaps(1, joints)[0]
    where = np.tile(codecs.get_heatmap_maximum(maps)[0], (instances, 1, 1))
    calls = ((lambda package=package: MMPOSE[function](package, maps, where)) for package in (mmpose, codecs))
    group = f"mmpose's {function} of {instances} x {joints} joints"
    # DARK's curvatures are differences of float32 logarithms there
    compare(benchmark, group, *calls, 2e-3, median_seconds, held_against, "mmpose")


@pytest.mark.parametrize(
    ("n", "m", "gradient", "threads"),
    [
        (n, m, gradient, threads)
        for n, m in [(1, 1), (5, 20), (10, 20), (20, 300), (300, 300)]
        for gradient in (False, True)
        for threads in (1, 2)
        if threads == 1 or n == m == 300
    ],
    indirect=["threads"],
)
def test_ultralytics(
    benchmark: Any, n: int, m: int, gradient: bool, threads: int,
    median_seconds: Callable[..., float], held_against: Callable[..., None],
) -> None:  # fmt: skip
    torch = peer("torch")
    theirs = peer("ultralytics.utils.metrics").kpt_iou
    (truth, areas), (found, _) = poses(n), poses(m)
    pairs = [torch.as_tensor(rows).reshape(-1, 17, 3).requires_grad_(gradient) for rows in (truth, found)]
    area = torch.as_tensor(areas, dtype=torch.float32)

    def call(function: Callable) -> np.ndarray:
        similarity = function(*pairs, area, SIGMAS)
        if not gradient:
            return similarity.numpy()
        return np.concatenate([part.numpy() for part in torch.autograd.grad(similarity.sum(), pairs)])

    group = f"ultralytics' kpt_iou of {n} x {m}{' and its gradient' * gradient}{' on two threads' * (threads > 1)}"
    calls = ((lambda function=function: call(function)) for function in (ultralytics.kpt_iou, theirs))
    compare(benchmark, group, *calls, 1e-5, median_seconds, held_against, "ultralytics")
