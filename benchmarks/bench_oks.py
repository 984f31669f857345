"""OKS between all poses of two sets: a frame, large sets and many frames in one call, against broadcasting and COCO."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from peers import peer

from ptfast.ops import oks_matrix

SHAPES = {"20x20x15": (1, 20, 15), "100x100x17": (1, 100, 17), "1000x1000x17": (1, 1000, 17),
          "1000 frames of 20x20x15": (1000, 20, 15)}  # fmt: skip
COCO_LIMIT = 20_000  # pairs that COCO's evaluators, which loop in Python, are asked for
Poses = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def poses(frames: int, people: int, joints: int) -> Poses:
    """a and b (frames, people, joints, 2), b's areas (frames, people) and sigmas (joints,), in pixels of a HD frame."""
    rng = np.random.default_rng(0)
    place = rng.uniform(0, 1, (frames, people, 1, 2)) * (1920, 1080)
    body = place + rng.uniform(-40, 40, (frames, people, joints, 2)) * (1, 2)
    near = body + rng.normal(0, 3, body.shape)
    areas = rng.uniform(5e3, 2e4, (frames, people))
    return tuple(x.astype(np.float32) for x in (body, near, areas, rng.uniform(0.025, 0.107, joints)))


def with_ptfast(a: np.ndarray, b: np.ndarray, areas: np.ndarray, sigmas: np.ndarray) -> Callable:
    return lambda: oks_matrix(a, b, area=areas, sigmas=sigmas)


def with_numpy(a: np.ndarray, b: np.ndarray, areas: np.ndarray, sigmas: np.ndarray) -> Callable:
    def broadcasting() -> np.ndarray:
        squared = ((a[:, :, None] - b[:, None]) ** 2).sum(-1)
        return np.exp(-squared / (2 * sigmas) ** 2 / areas[:, None, :, None] / 2).mean(-1)

    return broadcasting


def with_torch(a: np.ndarray, b: np.ndarray, areas: np.ndarray, sigmas: np.ndarray) -> Callable:
    one, two, area, sigma = (torch.as_tensor(x) for x in (a[:, :, None], b[:, None], areas[:, None, :, None], sigmas))

    def broadcasting() -> torch.Tensor:
        squared = (one[..., 0] - two[..., 0]).pow(2) + (one[..., 1] - two[..., 1]).pow(2)
        return (-squared / ((2 * sigma).pow(2) * area * 2)).exp().mean(-1)

    return broadcasting


def with_ultralytics(a: np.ndarray, b: np.ndarray, areas: np.ndarray, sigmas: np.ndarray) -> Callable:
    kpt_iou = peer("ultralytics.utils.metrics").kpt_iou
    if len(a) > 1:
        pytest.skip("ultralytics' kpt_iou takes one frame")
    truth = torch.as_tensor(np.concatenate([b[0], np.ones_like(b[0, ..., :1])], -1))
    found, area = torch.as_tensor(a[0]), torch.as_tensor(areas[0])
    return lambda: kpt_iou(truth, found, area, sigmas).T[None]


def with_pycocotools(*arrays: np.ndarray) -> Callable:
    return coco("pycocotools.coco", "COCO", "pycocotools.cocoeval", "COCOeval", *arrays)


def with_faster_coco_eval(*arrays: np.ndarray) -> Callable:
    return coco("faster_coco_eval", "COCO", "faster_coco_eval", "COCOeval_faster", *arrays)


def coco(
    data: str, data_class: str, evaluator: str, evaluator_class: str,
    a: np.ndarray, b: np.ndarray, areas: np.ndarray, sigmas: np.ndarray,
) -> Callable:  # fmt: skip
    """computeOks of an evaluator with COCO's interface: a are the detections, b the ground truth."""
    if a.shape[0] * a.shape[1] * b.shape[1] > COCO_LIMIT:
        pytest.skip(f"too slow for more than {COCO_LIMIT} pairs")
    truth = getattr(peer(data), data_class)()
    flags = np.full((*b.shape[1:3], 1), 2)
    people = [
        {"id": i + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": float(area), "bbox": [0, 0, 1, 1],
         "num_keypoints": len(pose), "keypoints": pose.ravel().tolist()}
        for i, (pose, area) in enumerate(zip(np.concatenate([b[0], flags], -1), areas[0], strict=True))
    ]  # fmt: skip
    truth.dataset = {"images": [{"id": 1}], "categories": [{"id": 1, "name": "person"}], "annotations": people}
    truth.createIndex()
    poses = np.concatenate([a[0], flags], -1).reshape(a.shape[1], -1)
    found = truth.loadRes(
        [{"image_id": 1, "category_id": 1, "score": -i, "keypoints": pose.tolist()} for i, pose in enumerate(poses)]
    )
    evaluation = getattr(peer(evaluator), evaluator_class)(truth, found, "keypoints")
    evaluation.params.kpt_oks_sigmas = sigmas.astype(np.float64)
    evaluation.params.maxDets = [a.shape[1]]
    evaluation._prepare()
    return lambda: np.asarray(evaluation.computeOks(1, 1))[None]


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize(
    "library", [with_ptfast, with_torch, with_numpy, with_ultralytics, with_faster_coco_eval, with_pycocotools]
)
def test_oks(benchmark: Any, library: Callable, size: str, threads: int, roofline: Callable[..., None]) -> None:
    arrays = poses(*SHAPES[size])
    call = library(*arrays)
    expected = oks_matrix(*arrays[:2], area=arrays[2], sigmas=arrays[3])
    np.testing.assert_allclose(np.asarray(call()), expected, atol=2e-6)
    benchmark.group = f"OKS {size}, {threads} thread{'s' * (threads > 1)}"
    benchmark.extra_info["library"] = library.__name__.removeprefix("with_")
    benchmark(call)
    if library is with_ptfast:
        terms = expected.size * arrays[3].size  # each: two differences, their squares, a sum, a factor, the mean's sum
        roofline(sum(array.nbytes for array in arrays) + expected.nbytes, 7 * terms, exponentials=terms)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize("people", [20, 300, 1000])
def test_gradient(
    benchmark: Any, people: int, threads: int, median_seconds: Callable, held_against: Callable, roofline: Callable
) -> None:
    """Forward and backward, for both sets of poses, against torch's broadcasting."""
    a, b, areas, sigmas = (torch.as_tensor(x) for x in poses(1, people, 17))
    leaves = a.requires_grad_(), b.requires_grad_()

    def ours() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(oks_matrix(a, b, area=areas, sigmas=sigmas).sum(), leaves)

    def theirs() -> tuple[torch.Tensor, ...]:
        squared = (a[:, :, None] - b[:, None]).square().sum(-1)
        return torch.autograd.grad(
            (-squared / (8 * sigmas.square() * areas[:, None, :, None])).exp().mean(-1).sum(), leaves
        )

    for got, expected in zip(ours(), theirs(), strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)
    benchmark.group = f"OKS {people}x{people}x17 and its gradient, {threads} thread{'s' * (threads > 1)}"
    benchmark(ours)
    # The matrix, then both gradients: an exponential a term in each, and about 9, 13 and 13 flops beside it.
    terms = people**2 * 17
    roofline(2 * (a.nbytes + b.nbytes) + 8 * people**2, 35 * terms, 3 * terms)
    held_against(median_seconds(theirs, 3), at_least=3 if people == 1000 else 0, peer="torch")
