"""kpt_iou beside ultralytics', and by hand."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from peers import peer

from ptfast.dropin.ultralytics import kpt_iou
from ptfast.skeletons import COCO_17

SIGMAS = np.asarray(COCO_17.sigmas, np.float32)
SIZES = [(0, 0), (0, 300), (300, 0), (1, 1), (7, 5), (33, 20), (2, 100)]  # up to and beyond where oks_matrix takes over
ROUNDING = {torch.float64: 2e-7, torch.float32: 3e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.fixture
def theirs(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))  # it writes its settings as it is imported
    return peer("ultralytics.utils.metrics").kpt_iou


def poses(n: int, m: int, dtype: torch.dtype = torch.float32, columns: int = 3) -> tuple[torch.Tensor, ...]:
    """Annotated (n, 17, 3) with people who lack all joints but one or all, predicted (m, 17, columns), areas (n,)."""
    random = np.random.default_rng(n + m)
    truth, found = random.uniform(0, 200, (n, 17, 3)), random.uniform(0, 200, (m, 17, columns))
    truth[..., 2] = random.integers(0, 3, (n, 17))
    truth[1:2, :, 2], truth[2:3, 1:, 2] = 0, 0
    areas = random.uniform(0, 2e4, n)
    areas[3:4] = 0
    if n and m:
        found[0, :, :2] = truth[min(n - 1, 3), :, :2]
    return tuple(torch.as_tensor(array).to(dtype) for array in (truth, found, areas))


@pytest.mark.filterwarnings("ignore:To copy construct:UserWarning")
@pytest.mark.parametrize("dtype", ROUNDING)
def test_equals_the_original(theirs: Any, dtype: torch.dtype) -> None:
    for (n, m), columns, eps in product(SIZES, (2, 3), (1e-7, 1e-3, 1.0, 0.0)):
        arguments = poses(n, m, dtype, columns)
        for sigma in (SIGMAS, SIGMAS.tolist(), torch.as_tensor(SIGMAS)):
            found, expected = kpt_iou(*arguments, sigma, eps), theirs(*arguments, sigma, eps)
            assert (found.dtype, found.shape, found.stride()) == (expected.dtype, expected.shape, expected.stride())
            rounding = ROUNDING[dtype]
            torch.testing.assert_close(found, expected, rtol=rounding, atol=rounding, equal_nan=True)


@pytest.mark.parametrize(("n", "m"), [(20, 15), (40, 30)])  # in torch, by oks_matrix
def test_gradients_equal_the_originals(theirs: Any, n: int, m: int) -> None:
    truth, found, areas = poses(n, m, torch.float64)
    leaves = truth.requires_grad_(), found.requires_grad_()
    weights = torch.rand(n, m, dtype=torch.float64)
    for area in (areas, areas.clone().requires_grad_()):
        wanted = (*leaves, area) if area.requires_grad else leaves
        sums = ((function(truth, found, area, SIGMAS) * weights).sum() for function in (kpt_iou, theirs))
        both = (torch.autograd.grad(total, wanted) for total in sums)
        for ours, expected in zip(*both, strict=True):
            torch.testing.assert_close(ours, expected, rtol=2e-7, atol=1e-12)  # a count of 1 + eps is float32 there


def test_shapes_and_dtypes_that_torch_broadcasts(theirs: Any) -> None:
    truth, found, areas = poses(20, 15, torch.float64)
    cases = [
        (truth[:, :1], found, areas, SIGMAS),
        (truth, found[0], areas, SIGMAS),
        (truth, found, areas[:1], SIGMAS),
        (truth, found, areas, SIGMAS[:1]),
        (truth.float(), found, areas, SIGMAS),
        (truth.float(), found.float(), areas, SIGMAS),
    ]
    for arguments in cases:
        ours, expected = kpt_iou(*arguments), theirs(*arguments)
        assert ours.dtype == expected.dtype
        torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "cut",
    [lambda a, b, c: (a[:, :5], b, c), lambda a, b, c: (a, b, c[:2]), lambda a, b, c: (a[..., :2], b, c)],
)
def test_errors_are_torchs(theirs: Any, cut: Any) -> None:
    arguments = cut(*poses(20, 15))
    with pytest.raises((RuntimeError, IndexError)) as expected:
        theirs(*arguments, SIGMAS)
    with pytest.raises(expected.type):
        kpt_iou(*arguments, SIGMAS)


@pytest.mark.parametrize("gradient", [False, True])  # by oks_matrix and in torch
def test_known_values(gradient: bool) -> None:
    truth = torch.zeros(3, 2, 3, dtype=torch.float64)
    truth[0, :, 2], truth[1, 0, 2] = 1, 2
    found = torch.tensor([[[0, 0], [3, 4]], [[3, 4], [0, 0]]], dtype=torch.float64)
    sigmas, areas = [0.1, 0.2], torch.full((3,), 50.0, dtype=torch.float64)
    first, second = np.exp(-25 / (8 * 0.01 * 50)), np.exp(-25 / (8 * 0.04 * 50))
    expected = [[(1 + second) / 2, (first + 1) / 2], [1, first], [0, 0]]
    result = kpt_iou(truth, found.requires_grad_(gradient), areas, sigmas)
    np.testing.assert_allclose(result.detach(), expected, rtol=2e-7)  # eps beside a count of 1


def test_on_tensors_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way that a GPU and torch.compile take, on the CPU, below and beyond FEW pairs."""
    cases = [(*poses(20, m), SIGMAS, eps) for m in (5, 100) for eps in (1e-7, 1e-3)]
    expected = [kpt_iou(*case) for case in cases]
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    for case, values in zip(cases, expected, strict=True):
        torch.testing.assert_close(kpt_iou(*case), values)


def test_it_compiles() -> None:
    compiled = torch.compile(kpt_iou, backend="aot_eager", fullgraph=True)
    arguments = poses(20, 15)
    torch.testing.assert_close(compiled(*arguments, SIGMAS.tolist()), kpt_iou(*arguments, SIGMAS))


def test_hidden_joints_may_be_nan_where_oks_matrix_does_the_work() -> None:
    truth, found, areas = poses(20, 15)
    expected = kpt_iou(truth, found, areas, SIGMAS)
    truth[truth[..., 2] == 0] *= torch.tensor([float("nan"), 1, 1])
    torch.testing.assert_close(kpt_iou(truth, found, areas, SIGMAS), expected)


def test_importing_loads_neither_torch_nor_ultralytics() -> None:
    script = "import sys, ptfast.dropin.ultralytics; print({'torch', 'ultralytics'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
