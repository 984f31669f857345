"""Swapping, tried on the packages that are installed."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from peers import find_peer, peer

from ptfast.dropin import patched
from ptfast.dropin._originals import original
from ptfast.dropin._patching import SWAPPED


def test_every_stand_in_exists_and_stands_for_one_thing() -> None:
    found: dict[int, str] = {}
    for package, swaps in SWAPPED.items():
        stand_ins = importlib.import_module(f"ptfast.dropin.{package}")
        for _, name in swaps:
            stand_in = getattr(stand_ins, name)
            assert id(stand_in) not in found, f"{package}.{name} is {found[id(stand_in)]}: the way back is unclear"
            found[id(stand_in)] = f"{package}.{name}"


@pytest.mark.parametrize("package", SWAPPED)
def test_real_packages_are_swapped_and_put_back(package: str) -> None:
    swaps = SWAPPED[package]
    modules: list[Any] = []
    for name, _ in swaps:
        module, reason = find_peer(name)
        if module is None:
            pytest.skip(reason)
        modules.append(module)
    before = [getattr(module, name) for module, (_, name) in zip(modules, swaps, strict=True)]
    stand_ins = importlib.import_module(f"ptfast.dropin.{package}")
    with patched(package):
        for module, (_, name), first in zip(modules, swaps, before, strict=True):
            assert getattr(module, name) is getattr(stand_ins, name) is not first
            assert original(module.__name__, name) is first
    assert [getattr(module, name) for module, (_, name) in zip(modules, swaps, strict=True)] == before


def assignments() -> list[Any]:
    solve = peer("scipy.optimize").linear_sum_assignment
    return [solve(np.random.default_rng(n).random((n, n)))[1] for n in (3, 60)]


def lap_assignments() -> list[Any]:
    solve = peer("lap").lapjv
    return [solve(np.random.default_rng(n).random((n, n)))[1] for n in (3, 200)]


def suppressions() -> list[Any]:
    torch, ops = peer("torch"), peer("torchvision.ops")
    corners = torch.rand(400, 2, generator=torch.Generator().manual_seed(0))
    boxes = torch.cat([corners, corners + 0.2], 1)
    return [
        *(ops.nms(boxes[:n], boxes[:n, 0], 0.5) for n in (2, 400)),
        ops.nms(torch.full((2, 4), torch.nan), torch.ones(2), 0.5),
        *(ops.box_iou(boxes[:n], boxes) for n in (2, 400)),
    ]


def pooled() -> list[Any]:
    torch, ops = peer("torch"), peer("torchvision.ops")
    pool = ops.MultiScaleRoIAlign(["0"], 2, 2)
    boxes = [torch.tensor([[1.0, 1.0, 9.0, 9.0]])]
    return [pool({"0": torch.arange(64.0).reshape(1, 1, 8, 8)}, boxes, [(16, 16)])]


def clusters() -> list[Any]:
    found = peer("sklearn.cluster").MeanShift(bandwidth=1).fit(np.random.default_rng(0).normal(size=(50, 2)) * 3)
    return [found.cluster_centers_]


def similarities() -> list[Any]:
    torch, metrics = peer("torch"), peer("ultralytics.utils.metrics")
    poses = torch.rand(30, 17, 3, generator=torch.Generator().manual_seed(0))
    return [metrics.kpt_iou(poses[:n], poses, torch.ones(n), [0.1] * 17) for n in (1, 30)]


@pytest.mark.parametrize(
    ("package", "results"),
    [
        ("scipy", assignments), ("lap", lap_assignments), ("torchvision", suppressions), ("torchvision", pooled),
        ("sklearn", clusters), ("ultralytics", similarities),
    ],
)  # fmt: skip
def test_results_stay_the_same_within(package: str, results: Callable[[], list[Any]]) -> None:
    """Also of calls that a stand-in leaves to the original: it must not find itself in its place."""
    before = results()
    with patched(package):
        within = results()
    for found, expected in zip(within, before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def mask_scores() -> list[Any]:
    coco, evaluation = peer("pycocotools.coco"), peer("pycocotools.cocoeval")
    outline = {"segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]], "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0}
    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": 1, "width": 50, "height": 50}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [outline | {"id": 1, "image_id": 1, "category_id": 1}],
    }
    truth.createIndex()
    mask = truth.annToRLE(truth.anns[1])
    found = truth.loadRes([{"image_id": 1, "category_id": 1, "score": 0.9, "segmentation": mask}])
    scores = evaluation.COCOeval(truth, found, "segm")
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    return [scores.stats]


@pytest.mark.parametrize(
    ("package", "results"),
    [
        ("scipy", assignments), ("lap", lap_assignments), ("torchvision", suppressions), ("torchvision", pooled),
        ("sklearn", clusters), ("pycocotools", mask_scores),
    ],
)  # fmt: skip
def test_a_program_may_swap_real_packages_by_itself(
    package: str, results: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It need not use patched: assigning ptfast's functions is enough."""
    before = results()
    stand_ins = importlib.import_module(f"ptfast.dropin.{package}")
    own = [getattr(stand_ins, name) for _, name in SWAPPED[package]]
    for (module, name), stand_in in zip(SWAPPED[package], own, strict=True):
        monkeypatch.setattr(sys.modules[module], name, stand_in)
    cached = [original, *(value for value in vars(stand_ins).values() if hasattr(value, "cache_clear"))]
    try:
        for function in cached:
            function.cache_clear()
        within = results()
    finally:
        for function in cached:
            function.cache_clear()
    for found, expected in zip(within, before, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_torchvision_s_poolers_use_the_stand_in() -> None:
    poolers, reason = find_peer("torchvision.ops.poolers")
    if poolers is None:
        pytest.skip(reason)
    from torchvision.models.detection import roi_heads

    before = poolers.roi_align
    with patched("torchvision"):
        from ptfast.dropin.torchvision import nms, roi_align

        assert poolers.roi_align is roi_heads.roi_align is roi_align
        assert roi_heads.box_ops.nms is nms
    assert poolers.roi_align is roi_heads.roi_align is before


def test_importing_drop_ins_loads_neither_torch_nor_a_peer() -> None:
    """But for torchvision's, whose modules are torch's."""
    heavy = {"torch", "cv2", "numba"} | {module.split(".")[0] for swaps in SWAPPED.values() for module, _ in swaps}
    names = ", ".join(["ptfast.dropin", *(f"ptfast.dropin.{name}" for name in SWAPPED if name != "torchvision")])
    then = "import ptfast.dropin.torchvision; print('torchvision' in sys.modules)"
    script = f"import sys, {names}; print({heavy!r} & set(sys.modules)); {then}"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.splitlines() == ["set()", "False"]
