"""Ways in which MultiPose chooses the sizes at which it looks at an image: what each finds, and its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Any
from unittest.mock import patch

import numpy as np
from coco_scenes import Scene, document
from real_people_scores import coco_average_precision
from tqdm import tqdm

from ptfast.models import MoveNet
from ptfast.pipeline import MultiPose, MultiPoseSettings, one_shot
from ptfast.pipeline.people import Found
from ptfast.structures import Poses

MOST = 100  # people of an image


@dataclass(frozen=True)
class Way:
    """A way to choose sizes.

    Attributes:
        name: As tables have it.
        settings: Of MultiPose.
        constants: Values of constants of `ptfast.pipeline.one_shot`, by name.
    """

    name: str
    settings: MultiPoseSettings = field(default_factory=MultiPoseSettings)
    constants: Mapping[str, Any] = field(default_factory=dict)


def fixed(*sides: int) -> tuple[Way, ...]:
    """One look each, at a fixed size."""
    return tuple(Way(f"{side} alone", MultiPoseSettings(long_side=side)) for side in sides)


class RememberedLooks(MultiPose):
    """MultiPose for one image after the other, which sees an image at each size once, however sizes are chosen."""

    def __init__(self, model: MoveNet) -> None:
        super().__init__(model)
        self.looks: dict[int, tuple[list[Found], float]] = {}
        self._saved = 0.0

    def forget(self) -> None:
        """Begins another image."""
        self.looks.clear()

    def by(self, way: Way, image: np.ndarray) -> tuple[Poses, float]:
        """The people that a way finds in an image, and the seconds that it takes of the processor."""
        self.settings, self._saved = way.settings, 0.0
        with ExitStack() as stack:
            for name, value in way.constants.items():
                stack.enter_context(patch.object(one_shot, name, value))
            started = process_time()
            poses = self([image])
            return poses, process_time() - started + self._saved

    def _seen(self, images: Sequence[np.ndarray], long_side: int) -> list[Found]:
        if long_side in self.looks:
            self._saved += self.looks[long_side][1]
        else:
            started = process_time()
            self.looks[long_side] = super()._seen(images, long_side), process_time() - started
        return self.looks[long_side][0]


def measured(
    estimator: RememberedLooks, scenes: Sequence[Scene], ways: Sequence[Way], title: str
) -> list[dict[str, Any]]:
    """A row for each way: COCO's figures, and the processor's milliseconds an image."""
    found: dict[str, list[Poses]] = {way.name: [] for way in ways}
    spent = dict.fromkeys(found, 0.0)
    people = {}
    for scene in tqdm(scenes, title, unit="image"):
        people[scene.image_id] = scene.people
        estimator.forget()
        for way in ways:
            poses, seconds = estimator.by(way, scene.image)
            found[way.name].append(replace(poses, frame_size=None))
            spent[way.name] += seconds
    truth = document(people)
    return [
        {"sizes": way.name}
        | coco_average_precision(truth, Poses.concatenate(found[way.name]), list(people), most=MOST)
        | {"ms": round(1000 * spent[way.name] / len(people))}
        for way in ways
    ]
