"""Data sets in COCO's form for the tests of its evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from peers import peer

from ptfast.dropin.pycocotools import COCOeval

Annotation = dict[str, Any]
Change = Callable[[Any], None]


class Data:
    """The least that COCO's evaluator asks of a data set."""

    def __init__(self, annotations: list[Annotation], images: int, categories: int) -> None:
        self.dataset = {"annotations": annotations}
        self.images, self.categories = list(range(1, images + 1)), list(range(1, categories + 1))

    def getImgIds(self) -> list[int]:
        return self.images[::-1]

    def getCatIds(self) -> list[int]:
        return self.categories[::-1]

    def getAnnIds(self, imgIds: Any = (), catIds: Any = ()) -> list[int]:
        return [
            i
            for i, each in enumerate(self.dataset["annotations"])
            if (len(imgIds) == 0 or each["image_id"] in imgIds) and (len(catIds) == 0 or each["category_id"] in catIds)
        ]

    def loadAnns(self, ids: list[int]) -> list[Annotation]:
        return [self.dataset["annotations"][i] for i in ids]

    def annToRLE(self, annotation: Annotation) -> Any:
        mask = peer("pycocotools.mask")
        x, y, width, height = annotation["bbox"]
        corners = [x, y, x + width, y, x + width, y + height]
        return mask.frPyObjects([corners], 600, 600)[0]


def people(
    seed: int, *, images: int = 8, categories: int = 1, most: int = 5, found: int = 8, whole: bool = False,
    first_id: int = 1,
) -> tuple[Data, Data]:  # fmt: skip
    """Annotations and detections: jittered ones, exact ones, false ones, equal scores, crowds, people without joints.

    whole: coordinates are integers, so that similarities are often equal, or equal to a threshold.
    """
    rng = np.random.default_rng(seed)
    truth: list[Annotation] = []
    results: list[Annotation] = []
    even = np.round if whole else np.asarray
    for cell in range(images * categories):
        place = {"image_id": cell // categories + 1, "category_id": cell % categories + 1}
        count = int(rng.integers(0, most + 1) * (rng.random() < 0.8))
        boxes = even(np.concatenate([rng.uniform(0, 300, (count, 2)), rng.uniform(5, 150, (count, 2))], 1))
        joints = even(boxes[:, None, :2] + rng.uniform(0, 1, (count, 17, 2)) * boxes[:, None, 2:])
        flags = rng.integers(0, 3, (count, 17)) * (rng.random((count, 1)) < 0.8)
        for box, pose, flag in zip(boxes, joints, flags, strict=True):
            truth.append(
                place | shape(box, pose * (flag[:, None] > 0), flag) | {"id": len(truth) + first_id}
                | {"iscrowd": int(rng.random() < 0.15), "num_keypoints": int((flag > 0).sum())}
                | {"area": float(box[2] * box[3] * rng.uniform(0.3, 1))}
            )  # fmt: skip
        for _ in range(rng.integers(0, found + 1)):
            if count and rng.random() < 0.8:
                which = rng.integers(count)
                shift = np.sqrt(boxes[which, 2:].prod()) * rng.choice([0, 0.02, 0.1])
                box, pose = boxes[which] + rng.normal(0, shift, 4), joints[which] + rng.normal(0, shift, (17, 2))
            else:
                box, pose = rng.uniform(5, 300, 4), rng.uniform(0, 400, (17, 2))
            box[2:] = np.maximum(box[2:], 1)
            score = {"score": round(float(rng.random()), 1), "id": len(results) + first_id, "iscrowd": 0}
            results.append(place | shape(even(box), even(pose), np.ones(17)) | score)
    return Data(truth, images, categories), Data(results, images, categories)


def shape(box: np.ndarray, pose: np.ndarray, flags: np.ndarray) -> Annotation:
    keypoints = np.concatenate([pose, flags[:, None]], 1).ravel().tolist()
    return {"bbox": box.tolist(), "area": float(box[2] * box[3]), "keypoints": keypoints}


def run(evaluator: Any, data: tuple[Data, Data], kind: str, change: Change = lambda params: None) -> Any:
    evaluation = evaluator(*data, kind)
    change(evaluation.params)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation


def one_person(**changes: Any) -> Annotation:
    pose = np.stack([np.arange(17.0), np.arange(17.0), np.full(17, 2.0)], 1)
    person = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 2500.0, "bbox": [0.0, 0.0, 50.0, 50.0]}
    return person | {"keypoints": pose.ravel().tolist(), "num_keypoints": 17, "score": 0.5} | changes


def evaluate(truth: list[Annotation], found: list[Annotation], kind: str = "keypoints") -> Any:
    return run(COCOeval, (Data(truth, 1, 1), Data(found, 1, 1)), kind)
