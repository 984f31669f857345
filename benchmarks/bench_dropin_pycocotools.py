"""COCO's evaluation: ptfast.dropin.pycocotools against pycocotools and faster-coco-eval, with and without loading.

The data are like COCO's validation set: keypoints on 5,000 images of which half show people, or boxes of 80 categories
with 100 detections an image. Without loading, both evaluators of a row get the same objects, those of the peer; with
it, each reads the files itself, ptfast's by orjson.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from peers import peer

from ptfast.dropin.pycocotools import COCO, COCOeval

PEERS = {
    "pycocotools": (("pycocotools.coco", "COCO"), ("pycocotools.cocoeval", "COCOeval")),
    "faster_coco_eval": (("faster_coco_eval", "COCO"), ("faster_coco_eval", "COCOeval_faster")),
}
# kind, images, whether loading counts, and how many times as fast as pycocotools it must be
CASES = {
    "keypoints, 1 image": ("keypoints", 1, False, 0),
    "keypoints, 50 images": ("keypoints", 50, False, 0),
    "keypoints, 5000 images": ("keypoints", 5000, False, 5),
    "keypoints, 5000 images, loading included": ("keypoints", 5000, True, 5),
    "boxes, 1000 images": ("bbox", 1000, False, 0),
}
Annotations = list[dict[str, Any]]


def keypoints(images: int) -> tuple[dict[str, Any], Annotations]:
    """A data set of people and results: three detections of each person, and false ones up to about 20 an image."""
    rng = np.random.default_rng(0)
    people = np.where(rng.random(images) < 0.54, np.minimum(rng.geometric(0.25, images), 20), 0)
    people[0] = 3
    image, count = np.repeat(np.arange(1, images + 1), people), people.sum()
    height = np.exp(rng.uniform(np.log(20), np.log(400), count))
    box = np.stack([*rng.uniform(0, [[640], [480]], (2, count)), height / 2, height], 1)
    body = box[:, None, :2] + rng.uniform(0, 1, (count, 17, 2)) * box[:, None, 2:]
    seen = (rng.random((count, 17)) < 0.7) & (rng.random((count, 1)) < 0.6)
    poses = np.round(np.concatenate([body * seen[..., None], 2 * seen[..., None]], 2)).astype(int).reshape(count, -1)
    truth = [
        {"id": i + 1, "image_id": int(image[i]), "category_id": 1, "iscrowd": int(rng.random() < 0.01),
         "area": float(0.3 * height[i] ** 2), "bbox": box[i].tolist(), "keypoints": poses[i].tolist(),
         "num_keypoints": int(seen[i].sum())}
        for i in range(count)
    ]  # fmt: skip
    blur = np.repeat(height, 3) * rng.choice([0.02, 0.05, 0.15], 3 * count)
    near = np.repeat(body, 3, 0) + rng.normal(0, 1, (3 * count, 17, 2)) * blur[:, None, None]
    false = np.repeat(np.arange(1, images + 1), np.maximum(20 - 3 * people, 2))
    far = rng.uniform(0, 640, (len(false), 1, 2)) + rng.uniform(0, 80, (len(false), 17, 2))
    scores = np.concatenate([rng.beta(4, 2, len(near)), rng.beta(1, 5, len(far))])
    found = np.concatenate([near, far])
    found = np.concatenate([found, np.ones_like(found[..., :1])], 2).round(3).reshape(len(found), -1)
    where = np.concatenate([np.repeat(image, 3), false])
    results = [
        {"image_id": int(where[i]), "category_id": 1, "score": float(scores[i]), "keypoints": found[i].tolist()}
        for i in np.argsort(where, kind="stable")
    ]
    return data_set(images, 1, truth), results


def boxes(images: int, categories: int = 80) -> tuple[dict[str, Any], Annotations]:
    """A data set of objects and results: 100 detections an image, half of them of something."""
    rng = np.random.default_rng(0)
    truth: Annotations = []
    results: Annotations = []
    for image in range(1, images + 1):
        common = rng.integers(1, categories + 1, rng.integers(1, 6))
        count = 1 + rng.poisson(6)
        box = np.concatenate([rng.uniform(0, 500, (count, 2)), np.exp(rng.uniform(2.3, 6, (count, 2)))], 1).round(2)
        category = rng.choice(common, count)
        truth += [
            {"id": len(truth) + i + 1, "image_id": image, "category_id": int(category[i]), "bbox": box[i].tolist(),
             "iscrowd": int(rng.random() < 0.01), "area": float(0.6 * box[i, 2] * box[i, 3])}
            for i in range(count)
        ]  # fmt: skip
        which = rng.integers(count, size=100)
        near = box[which] + rng.normal(0, 0.15, (100, 4)) * np.tile(box[which, 2:], 2)
        right = rng.random(100) < 0.5
        found = np.where(right[:, None], near, rng.uniform(5, 300, (100, 4))).clip(1).round(2)
        named = np.where(right & (rng.random(100) < 0.7), category[which], rng.integers(1, categories + 1, 100))
        scores = rng.beta(1, 3, 100)
        results += [
            {"image_id": image, "category_id": int(named[i]), "bbox": found[i].tolist(), "score": float(scores[i])}
            for i in range(100)
        ]
    return data_set(images, categories, truth), results


def data_set(images: int, categories: int, annotations: Annotations) -> dict[str, Any]:
    return {
        "info": {},
        "images": [{"id": i + 1, "width": 640, "height": 480} for i in range(images)],
        "categories": [{"id": i + 1, "name": f"category {i + 1}"} for i in range(categories)],
        "annotations": annotations,
    }


def classes(library: str) -> list[Any]:
    """A library's COCO and COCOeval; skips where it is not installed."""
    return [getattr(peer(module), name) for module, name in PEERS[library]]


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], tuple[str, str]]:
    """write(kind, images): the data as JSON files, annotations and results, written once."""

    @cache
    def call(kind: str, images: int) -> tuple[str, str]:
        folder = tmp_path_factory.mktemp(kind)
        paths = folder / "annotations.json", folder / "results.json"
        for path, content in zip(paths, (boxes if kind == "bbox" else keypoints)(images), strict=True):
            path.write_text(json.dumps(content))
        return str(paths[0]), str(paths[1])

    return call


def load(coco: Any, paths: tuple[str, str]) -> tuple[Any, Any]:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(paths[0])
        return truth, truth.loadRes(paths[1])


def evaluate(evaluator: Any, data: tuple[Any, Any], kind: str) -> np.ndarray:
    """COCO's figures."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = evaluator(*data, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.array(evaluation.stats)[: 10 if kind == "keypoints" else 12]


@pytest.mark.parametrize("library", PEERS)
@pytest.mark.parametrize("case", CASES)
def test_evaluation(
    benchmark: Any, case: str, library: str, write: Callable, median_seconds: Callable, held_against: Callable
) -> None:
    kind, images, loading, at_least = CASES[case]
    coco, theirs = classes(library)
    paths = write(kind, images)
    data = None if loading else load(coco, paths)
    results: dict[Any, np.ndarray] = {}

    def run(evaluator: Any) -> Callable[[], None]:
        def call() -> None:
            own = COCO if evaluator is COCOeval else coco
            results[evaluator] = evaluate(evaluator, data or load(own, paths), kind)

        return call

    large = images >= 1000
    seconds = median_seconds(run(theirs), rounds=1 if large else 7)
    run(COCOeval)()
    # faster-coco-eval rounds in its own way
    np.testing.assert_allclose(
        results[COCOeval], results[theirs], rtol=0, atol=0 if library == "pycocotools" else 1e-12
    )
    benchmark.group = f"COCO evaluation, {case}"
    benchmark.pedantic(run(COCOeval), rounds=3 if large else 20)
    held_against(seconds, at_least if library == "pycocotools" else 0, peer=library)


@pytest.mark.parametrize("method", ["computeOks", "computeIoU", "evaluateImg"])
@pytest.mark.parametrize("people", [2, 5, 20])
def test_one_image(benchmark: Any, method: str, people: int, median_seconds: Callable, held_against: Callable) -> None:
    """The methods by themselves, for an image of so many people and detections: small ones are left to pycocotools."""
    coco, theirs = classes("pycocotools")
    kind = "bbox" if method == "computeIoU" else "keypoints"
    content, results = keypoints(50)
    truth = [each | {"id": i + 1, "image_id": 1} for i, each in enumerate(content["annotations"][:people])]
    found = [each | {"image_id": 1} for each in results[: 3 * people : 3]]
    with contextlib.redirect_stdout(io.StringIO()):
        data = coco()
        data.dataset = data_set(1, 1, truth)
        data.createIndex()
        evaluations = [each(data, data.loadRes(found), kind) for each in (COCOeval, theirs)]
        for each in evaluations:
            each.evaluate()
    arguments = (1, 1, [0, 1e10], 20) if method == "evaluateImg" else (1, 1)
    ours, peers = (lambda each=each: getattr(each, method)(*arguments) for each in evaluations)
    got, expected = (call()["dtMatches"] if method == "evaluateImg" else call() for call in (ours, peers))
    np.testing.assert_array_equal(got, expected)
    benchmark.group = f"{method}, {people} x {people}"
    seconds = median_seconds(peers, rounds=50)
    benchmark.pedantic(ours, rounds=50, warmup_rounds=1)
    held_against(seconds, 0, peer="pycocotools")
