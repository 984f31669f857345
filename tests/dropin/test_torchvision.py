"""The drop-ins for torchvision's boxes, beside torchvision where it is installed, and beside known results."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from peers import find_peer, peer
from torch import Tensor

from ptfast.dropin import torchvision as dropin
from ptfast.dropin._torchvision import box_iou as overlap
from ptfast.dropin._torchvision import common
from ptfast.dropin._torchvision import nms as suppression

NAN, INF = torch.nan, torch.inf
FLOATS = [torch.float32, torch.float64]
THRESHOLDS = [-0.5, 0.0, 0.1, 0.3, 1 / 3, 0.5, 0.7, 1.0, 1.5, NAN]
BOXES = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]])
SCORES = torch.tensor([0.9, 0.8, 0.7])


@pytest.fixture
def torchvision() -> ModuleType:
    return peer("torchvision.ops")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if torchvision were not installed."""
    monkeypatch.setattr(common, "original", lambda module, attribute: None)


def scene(n: int, dtype: torch.dtype = torch.float32, lowest: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes (n, 4) in clusters, some of them empty or inverted, with scores and classes (n,), many of them equal.

    Coordinates are small integers, so that overlaps are often exactly a threshold.
    """
    random = np.random.default_rng(n)
    corner = random.integers(0, 5, (n, 2)) * 20 + random.integers(0, 8, (n, 2)) + lowest
    boxes = np.concatenate([corner, corner + random.integers(-1, 20, (n, 2))], -1)
    scores = random.integers(-4, 10, n) * -0.1
    return (
        torch.as_tensor(boxes, dtype=dtype),
        torch.as_tensor(scores, dtype=dtype),
        torch.tensor(random.integers(-2, 5, n)),
    )


def greedy(boxes: Tensor, scores: Tensor, threshold: float) -> list[int]:
    """Non-maximum suppression from its definition, one pair at a time."""
    kept: list[int] = []
    for i in np.argsort(-scores.numpy(), kind="stable"):
        overlap = dropin.box_iou(boxes[i][None], boxes[kept])[0].double()
        if not (overlap > threshold).any():
            kept.append(int(i))
    return kept


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [0, 1, 7, 60])
def test_nms_is_greedy(n: int, dtype: torch.dtype) -> None:
    boxes, scores, _ = scene(n, dtype)
    for threshold in THRESHOLDS[1:]:
        kept = dropin.nms(boxes, scores, threshold)
        assert kept.tolist() == greedy(boxes, scores, threshold)
        assert kept.dtype == torch.int64


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", [0, 1, 7, 200])
def test_nms_equals_torchvisions(torchvision: ModuleType, n: int, dtype: torch.dtype) -> None:
    boxes, scores, _ = scene(n, dtype)
    strided = torch.stack([boxes, boxes], -1)[..., 0], torch.stack([scores, scores], -1)[..., 0].requires_grad_()
    for threshold in THRESHOLDS:
        expected = torchvision.nms(boxes, scores, threshold)
        assert dropin.nms(*strided, iou_threshold=threshold).tolist() == expected.tolist()


def test_negative_thresholds_are_torchvisions(torchvision: ModuleType) -> None:
    """Two empty boxes have no overlap that could be over the threshold."""
    empty, full = torch.ones(2, 4), BOXES[[0, 2]]
    for boxes in (empty, torch.cat([full, empty]), torch.cat([empty, full])):
        scores, classes = torch.arange(len(boxes)).float(), torch.zeros(len(boxes))
        expected = torchvision.nms(boxes, scores, -0.1)
        assert dropin.nms(boxes, scores, -0.1).tolist() == expected.tolist()
        assert dropin.batched_nms(boxes, scores, classes, -0.1).tolist() == expected.tolist()
    assert dropin.nms(empty, SCORES[:2], -0.1).tolist() == [0, 1]


def test_known_suppression() -> None:
    """Of a box, the same inverted, which has a negative area, one that overlaps it by 81 / 119, and an empty one."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [10, 0, 0, 10], [1, 1, 11, 11], [5, 5, 5, 5]])
    scores = torch.tensor([0.6, 0.9, 0.8, 0.7])
    assert dropin.nms(boxes, scores, 0.6).tolist() == [1, 2, 3]
    assert dropin.nms(boxes, scores, 0.7).tolist() == [1, 2, 3, 0]
    assert dropin.nms(boxes[:, [2, 1, 0, 3]], scores, 0.6).tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize(("n", "kept"), [(1000, 999), (1001, 1001)])
def test_classes_are_shifted_apart_up_to_1000_boxes(n: int, kept: int) -> None:
    """There a box with negative coordinates meets one of another class: class 1 lies n pixels further than class 0."""
    start = torch.arange(n).float()
    boxes = torch.stack([start, torch.zeros(n), start + 0.5, torch.full((n,), 0.5)], 1)
    boxes[-1, 2] = n - 1  # the largest coordinate
    boxes[0] = boxes[1] - n
    classes = torch.zeros(n)
    classes[0] = 1
    assert len(dropin.batched_nms(boxes, start, classes, 0.5)) == kept


def test_threshold_is_compared_as_torchvision_does() -> None:
    """0.3 lies between two float32: an overlap equal to the higher one, which it rounds to, is above it."""
    boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, 3, 1]])
    assert dropin.box_iou(boxes, boxes)[0, 1].item() == float(np.float32(0.3)) > 0.3
    assert dropin.nms(boxes, SCORES[:2], 0.3).tolist() == [0]
    assert dropin.nms(boxes.double(), SCORES[:2].double(), 0.3).tolist() == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        lambda boxes, scores: (boxes.index_fill(0, torch.tensor([1]), NAN), scores),
        lambda boxes, scores: (boxes.index_fill(1, torch.tensor([2]), INF), scores),
        lambda boxes, scores: (boxes, scores.index_fill(0, torch.tensor([3]), NAN)),
        lambda boxes, scores: (boxes, scores.index_fill(0, torch.tensor([3]), INF)),
    ],
    ids=["NaN box", "infinite boxes", "NaN score", "infinite score"],
)
def test_numbers_that_are_not_finite_are_left_to_torchvision(torchvision: ModuleType, change: Callable) -> None:
    boxes, scores, classes = scene(20)
    boxes, scores = change(boxes, scores)
    assert dropin.nms(boxes, scores, 0.4).tolist() == torchvision.nms(boxes, scores, 0.4).tolist()
    expected = torchvision.batched_nms(boxes, scores, classes, 0.4)
    assert dropin.batched_nms(boxes, scores, classes, 0.4).tolist() == expected.tolist()


def test_without_torchvision_they_are_errors(alone: None) -> None:
    with pytest.raises(ValueError, match=r"boxes must be finite, got nan at \(1, 0\)"):
        dropin.nms(BOXES.index_fill(0, torch.tensor([1]), NAN), SCORES, 0.5)
    with pytest.raises(ValueError, match=r"scores must be finite, got nan at \(0,\)"):
        dropin.batched_nms(BOXES, torch.full((3,), NAN), torch.zeros(3), 0.5)
    with pytest.raises(RuntimeError, match=r"idxs should have shape \(3,\) as scores, got \(2,\)"):
        dropin.batched_nms(BOXES, SCORES, torch.zeros(2), 0.5)
    with pytest.raises(ValueError, match=r"iou_threshold must be at least 0 without torchvision, got -0\.1"):
        dropin.nms(BOXES, SCORES, -0.1)
    with pytest.raises(ImportError, match="rotated boxes are left to torchvision"):
        dropin.box_iou(torch.rand(2, 5), torch.rand(2, 5), "xywhr")


NMS_ERRORS = {
    "3D boxes": ((BOXES[None], SCORES), RuntimeError, "boxes should be a 2d tensor, got 3D"),
    "5 columns": ((torch.ones(3, 5), SCORES), RuntimeError, "boxes should have 4 elements in dimension 1, got 5"),
    "2D scores": ((BOXES, SCORES[:, None]), RuntimeError, "scores should be a 1d tensor, got 2D"),
    "two scores": (
        (BOXES, SCORES[:2]),
        RuntimeError,
        "boxes and scores should have same number of elements in dimension 0, got 3 and 2",
    ),
    "two dtypes": ((BOXES, SCORES.double()), RuntimeError, "dets should have the same type as scores"),
    "half": ((BOXES.half(), SCORES.half()), RuntimeError, "\"nms_kernel\" not implemented for 'Half'"),
    "integers": ((BOXES.long(), SCORES.long()), RuntimeError, "\"nms_kernel\" not implemented for 'Long'"),
    "integers with scores": ((BOXES.long(), SCORES), RuntimeError, "\"nms_kernel\" not implemented for 'Long'"),
    "list": ((BOXES.tolist(), SCORES), AttributeError, "'list' object has no attribute"),
}


@pytest.mark.parametrize("case", NMS_ERRORS)
def test_nms_errors_are_torchvisions(case: str) -> None:
    arguments, kind, text = NMS_ERRORS[case]
    theirs, _ = find_peer("torchvision.ops")
    for nms in [dropin.nms, *([theirs.nms] if theirs else [])]:
        with pytest.raises(kind) as error:
            nms(*arguments, 0.5)
        assert text in str(error.value)  # torchvision 0.29 begins with the place in its source


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("lowest", [0, -70])
@pytest.mark.parametrize("n", [0, 1, 40, 1000, 1001, 1500])
def test_batched_nms_equals_torchvisions(torchvision: ModuleType, n: int, lowest: int, dtype: torch.dtype) -> None:
    boxes, scores, classes = scene(n, dtype, lowest)
    boxes = boxes + 0.37  # which the shift to a class's place rounds
    for idxs in (classes, classes.float(), classes > 0):
        expected = torchvision.batched_nms(boxes, scores, idxs, 0.4)
        assert dropin.batched_nms(boxes, scores, idxs, 0.4).tolist() == expected.tolist()


@pytest.mark.parametrize("n", [60, 1200])
def test_batched_nms_suppresses_within_classes(n: int) -> None:
    boxes, scores, classes = scene(n)
    scores = torch.randperm(n).float()
    members = [torch.where(classes == c)[0] for c in classes.unique()]
    expected = torch.cat([member[dropin.nms(boxes[member], scores[member], 0.4)] for member in members])
    kept = dropin.batched_nms(boxes, scores, classes, 0.4)
    assert kept.tolist() == expected[scores[expected].argsort(descending=True)].tolist()


@pytest.mark.parametrize("n", [0, 60, 1200])
def test_what_a_gpu_would_do_gives_the_same(n: int) -> None:
    boxes, scores, classes = scene(n, torch.float64)
    scores = torch.randperm(n).double()
    kept = suppression._kept(boxes, scores, 0.4, on_host=False)  # which take any tensors
    assert kept.tolist() == dropin.nms(boxes, scores, float(np.float32(0.4))).tolist()
    if n:
        kept = suppression._kept_of_classes(boxes, scores, classes, 0.5, on_host=False)
        assert kept.tolist() == dropin.batched_nms(boxes, scores, classes, 0.5).tolist()


def pairs_of_boxes() -> dict[str, tuple[Any, ...]]:
    a, b = scene(31)[0] + 0.37, scene(17)[0] + 0.11
    zeros = torch.zeros(3, 4)
    return {
        "float32": (a, b),
        "float64": (a.double(), b.double()),
        "none": (a[:0], b),
        "none on the other side": (a, b[:0]),
        "strided": (a.T.contiguous().T[::2], b[::3]),
        "areas of zero": (torch.cat([a, zeros, -a]), torch.cat([b, zeros, b.flip(-1)])),
        "inverted": (a[:, [2, 3, 0, 1]], b[:, [2, 1, 0, 3]]),
        "one side inverted": (BOXES, BOXES[:, [2, 1, 0, 3]]),
        "NaN": (a.index_fill(0, torch.tensor([2]), NAN), b),
        "infinite": (a.index_fill(1, torch.tensor([2, 3]), INF), b.index_fill(1, torch.tensor([3]), INF)),
        "batch": (a[:30].view(2, 3, 5, 4), b[:12].view(2, 3, 2, 4)),
        "batches that broadcast": (a[:30].view(2, 1, 15, 4), b[:12].view(3, 4, 4)),
        "one box": (a[3], b),
        "half": (a.half(), b.half()),
        "bfloat16": (a.bfloat16(), b.bfloat16()),
        "two dtypes": (a.half(), b.double()),
        "int64": (a.long(), b.long()),
        "int16": (a.short(), b.short()),
        "uint8": (scene(5)[0].byte(), scene(7)[0].byte()),
        "xywh": (a, b, "xywh"),
        "cxcywh": (a.double(), b.double(), "cxcywh"),
        "gradient": (a.clone().requires_grad_(), b),
    }


@pytest.mark.parametrize("case", pairs_of_boxes())
def test_box_iou_equals_torchvisions_to_the_bit(torchvision: ModuleType, case: str) -> None:
    arguments = pairs_of_boxes()[case]
    expected, result = torchvision.box_iou(*arguments), dropin.box_iou(*arguments)
    torch.testing.assert_close(result, expected, rtol=0, atol=0, equal_nan=True)
    assert result.requires_grad == expected.requires_grad
    if expected.requires_grad:
        for iou in (expected, result):
            iou.nan_to_num().square().sum().backward(retain_graph=True)
        assert arguments[0].grad is not None


@pytest.mark.parametrize("case", ["float32", "areas of zero", "inverted", "NaN", "batch", "none"])
def test_box_iou_of_a_gpu_equals_that_of_the_host(case: str) -> None:
    a, b = pairs_of_boxes()[case]
    result = overlap._iou_on_gpu(a, b)  # which takes any tensors
    torch.testing.assert_close(result, dropin.box_iou(a, b), rtol=0, atol=0, equal_nan=True)


def test_box_iou_of_rotated_boxes_is_torchvisions(torchvision: ModuleType) -> None:
    a, b = torch.rand(5, 5), torch.rand(3, 5)
    assert dropin.box_iou(a, b, fmt="cxcywhr").equal(torchvision.box_iou(a, b, fmt="cxcywhr"))


def test_known_overlaps() -> None:
    a = torch.tensor([[0.0, 0, 10, 10], [5, 5, 5, 5], [10, 0, 0, 10]])
    b = torch.tensor([[5.0, 0, 15, 10], [0, 0, 0, 0], [0, 0, 10, 10]])
    expected = torch.tensor([[1 / 3, 0, 1], [0, NAN, 0], [NAN, 0, NAN]])
    torch.testing.assert_close(dropin.box_iou(a, b), expected, equal_nan=True, rtol=1e-7, atol=0)
    assert dropin.box_iou(a.half(), b.half()).dtype == torch.float32
    torch.testing.assert_close(dropin.box_iou(b.long(), b.long())[0, 2], torch.tensor(1 / 3), rtol=1e-7, atol=0)
    corners, sides = torch.tensor([[0.0, 0, 4, 2]]), torch.tensor([[2.0, 1, 4, 2]])
    assert dropin.box_iou(sides, sides + torch.tensor([2.0, 0, 0, 0]), "cxcywh").item() == pytest.approx(1 / 3)
    assert dropin.box_iou(corners, corners + torch.tensor([2.0, 0, 0, 0]), fmt="xywh").item() == pytest.approx(1 / 3)


def test_box_iou_errors_are_torchvisions() -> None:
    theirs, _ = find_peer("torchvision.ops")
    for box_iou in [dropin.box_iou, *([theirs.box_iou] if theirs else [])]:
        with pytest.raises(ValueError, match=r"Unsupported format 'yxyx'. Supported axis-aligned formats: \('xyxy',"):
            box_iou(BOXES, BOXES, "yxyx")
        with pytest.raises(IndexError, match="index 3 is out of bounds"):
            box_iou(torch.ones(3, 3), BOXES)
        with pytest.raises(RuntimeError, match="must match the size of tensor b"):
            box_iou(torch.ones(3, 5), BOXES)


def test_autocast_takes_half_precision(torchvision: ModuleType) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        for scores in (SCORES, SCORES.bfloat16()):
            expected = torchvision.nms(BOXES.bfloat16(), scores, 0.5)
            assert dropin.nms(BOXES.bfloat16(), scores, 0.5).tolist() == expected.tolist() == [0, 2]
            classes = torch.tensor([0, 1, 0])
            assert dropin.batched_nms(BOXES.bfloat16(), scores, classes, 0.5).tolist() == [0, 1, 2]


def test_autocast_alone(alone: None) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        for boxes, scores in ((BOXES, SCORES.bfloat16()), (BOXES.bfloat16(), SCORES)):
            assert dropin.nms(boxes, scores, 0.5).tolist() == [0, 2]
        assert dropin.batched_nms(BOXES.bfloat16(), SCORES, torch.tensor([0, 1, 0]), 0.5).tolist() == [0, 1, 2]


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", FLOATS)
def test_on_a_gpu(dtype: torch.dtype) -> None:
    boxes, scores, classes = scene(300, dtype)
    scores = torch.randperm(300).to(dtype)
    on_gpu = [x.cuda() for x in (boxes, scores, classes)]
    for threshold in (0.0, 0.5, 2.0):
        assert dropin.nms(*on_gpu[:2], threshold).tolist() == dropin.nms(boxes, scores, threshold).tolist()
        expected = dropin.batched_nms(boxes, scores, classes, threshold)
        assert dropin.batched_nms(*on_gpu, threshold).tolist() == expected.tolist()
    result = dropin.box_iou(on_gpu[0], on_gpu[0]).cpu()
    torch.testing.assert_close(result, dropin.box_iou(boxes, boxes), rtol=0, atol=0, equal_nan=True)
