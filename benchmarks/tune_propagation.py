"""Choice of the NMS's threshold of Simple Baselines for real people, on pictures that train.

`python benchmarks/tune_propagation.py` shows each picture of the training part of coco_mini three times in a row:
people stand still, so that flow proposes everybody whom the detector has found, where they are. What propagation adds
to the last frame is somebody whom the detector misses, or somebody twice. AP by pycocotools and the number of the last
frame's poses, with every box of the detector, and with each missed in the last frame with a chance of 30 %. Figures go
to benchmarks/results/simple_baselines.json; `python benchmarks/make_tables.py` writes them into
docs/simple-baselines.md. The pictures are those that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from people_in_pictures import needed
from remembered import DROPPED, RememberedBoxes, RememberedPoses, WithoutSome
from simple_baselines_real import DETECTOR, POSE
from studies import save
from tqdm import tqdm
from tune_real_people import ANNOTATIONS, IMAGES, average_precision

from ptfast.io import Frame, read_poses
from ptfast.methods import SimpleBaselines
from ptfast.pipeline import load_detector, load_person_poses
from ptfast.pipeline.detectors import Boxes, Detector
from ptfast.pipeline.flow import load_point_flow
from ptfast.skeletons import COCO_17
from ptfast.structures import Poses

SHOWN = 3  # times
OVERLAPS = (None, 0.4, 0.5, 0.6, 0.7, 0.8)  # None is without propagation
SHARES = {"all boxes": 0.0, "missed": DROPPED}


def main() -> None:
    """Prints the table and writes the figures."""
    truth = read_poses(needed(ANNOTATIONS))
    detector, network = load_detector(DETECTOR), load_person_poses(POSE)
    usual = SimpleBaselines.load(POSE, detector=DETECTOR).config
    found: dict[tuple[float | None, str], list[Poses]] = {key: [] for key in itertools.product(OVERLAPS, SHARES)}
    for number, name in enumerate(tqdm(truth.frame_names, unit="picture")):
        image = np.ascontiguousarray(cv2.imread(str(IMAGES / name))[..., ::-1])
        seen, known = RememberedBoxes(detector), RememberedPoses(network)
        for (overlap, share), poses in found.items():
            changed = {"propagate": False} if overlap is None else {"max_overlap": overlap}
            config = replace(usual, **changed)
            given = MissedLast(seen, SHARES[share], number)
            method = SimpleBaselines(given, known, load_point_flow("sparse"), COCO_17, config)
            poses.append(method.track([image] * SHOWN).frame(SHOWN - 1))
    rows = []
    for overlap in OVERLAPS:
        row: dict[str, Any] = {"max_overlap": "no propagation" if overlap is None else str(overlap)}
        for share in SHARES:
            poses = found[overlap, share]
            row[f"AP, {share}"] = average_precision(poses, truth)["AP"]
            row[f"poses, {share}"] = sum(len(each.scores) for each in poses)
        rows.append(row)
    save("simple_baselines", "still", rows, pictures=len(truth), missed=DROPPED)


class MissedLast:
    """A detector that misses some boxes in the last of the frames that show a picture.

    Args:
        detector: The detector.
        share: How many boxes are missed, 0 to 1.
        seed: Of the choice.
    """

    def __init__(self, detector: Detector, share: float, seed: int) -> None:
        self._detector, self._share, self._seed = detector, share, seed

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """The boxes of the key frames."""
        shown = self._detector(frames, keys)
        less = WithoutSome(lambda *_: shown, self._share, self._seed)(frames, keys)
        return [less[n] if frames[key].index == SHOWN - 1 else shown[n] for n, key in enumerate(keys)]


if __name__ == "__main__":
    main()
