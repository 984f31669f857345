"""ptfast's linking behind any model that gives supervision KeyPoints, before supervision's own zones and annotators.

pip install supervision
python examples/supervision_keypoints.py
"""

from __future__ import annotations

from collections.abc import Iterator

import supervision as sv

from ptfast import COCO_17, OnlineLinker
from ptfast.interop import from_keypoints, to_detections, to_keypoints
from ptfast.synthetic import detections, scene

SIZE = (640, 360)


def keypoints() -> Iterator[sv.KeyPoints]:
    """A model's results, frame by frame, such as sv.KeyPoints.from_ultralytics(model(image)[0]); here made up."""
    people = scene(seed=1, frames=250, people=4, size=SIZE, skeleton=COCO_17)
    yield from to_keypoints(detections(people, miss=0.05))


def main() -> None:
    """Counts who walks across the middle of the image."""
    width, height = SIZE
    line = sv.LineZone(
        sv.Point(width // 2, height),
        sv.Point(width // 2, 0),
        [sv.Position.BOTTOM_CENTER],
        minimum_crossing_threshold=3,  # frames: a box that trembles on the line counts once
    )
    linker = OnlineLinker()
    seen = set()
    for points in keypoints():
        tracked = linker.update(from_keypoints([points], COCO_17))
        [people] = to_detections(tracked)  # with track ids
        line.trigger(people)
        seen.update(tracked.track_ids.tolist())
    print(f"{len(seen)} tracks; {line.in_count} crossed the middle to one side, {line.out_count} to the other")


if __name__ == "__main__":
    main()
