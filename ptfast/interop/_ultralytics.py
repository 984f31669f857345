"""Ultralytics' models as person detectors and one-shot pose estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ptfast.interop._images import Boxes, bgr, there
from ptfast.interop._per_frame import PERSON
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses

if TYPE_CHECKING:
    from ptfast.io import Frame


def detector_from_ultralytics(
    model: Any, *, label: int = PERSON, **options: Any
) -> Callable[[Sequence[Frame], Sequence[int]], list[Boxes]]:
    """A person detector for `ptfast.pipeline`, of a model of Ultralytics that finds boxes, such as YOLO.

    Args:
        model: The model, `ultralytics.YOLO("yolo11n.pt")` say.
        label: The class of people.
        **options: For `model.predict`, such as `conf`, `iou`, `imgsz` and `device`.

    Returns:
        A function of frames and the positions of key frames among them. It gives (N, 4) float32 xyxy pixels and (N,)
        float32 scores of each key frame.
    """

    def detect(frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        results = predicted(model, [frames[key].image for key in keys], label, options)
        return [(boxes.xyxy.astype(np.float32), boxes.conf.astype(np.float32)) for boxes in (r.boxes for r in results)]

    return detect


def one_shot_from_ultralytics(
    model: Any, *, skeleton: Skeleton = COCO_17, label: int = PERSON, **options: Any
) -> Callable[[Sequence[np.ndarray | None]], Poses]:
    """A one-shot estimator for `ptfast.pipeline` and `ptfast.methods.Online`, of a pose model of Ultralytics.

    Joints at (0, 0), where some versions put those of low scores, and all those beyond the image's corner, are absent.

    Args:
        model: The model, `ultralytics.YOLO("yolo11n-pose.pt")` say.
        skeleton: Its K joints.
        label: The class of people.
        **options: For `model.predict`, such as `conf`, `iou`, `imgsz` and `device`.

    Returns:
        A function of images (H, W, 3) uint8 RGB, or None for one that is lost. It gives `Poses` of as many frames.

    Raises:
        ValueError: In use, if the model finds no joints, or others than the skeleton's.
    """

    def estimate(images: Sequence[np.ndarray | None]) -> Poses:
        results = iter(predicted(model, there(images), label, options))
        found = [None if image is None else next(results) for image in images]
        return Poses.from_frames(
            [[] if result is None else joints_of(result) for result in found],
            skeleton=skeleton,
            scores=[[] if result is None else result.boxes.conf for result in found],
            boxes=[[] if result is None else result.boxes.xyxy for result in found],
            frame_size=np.array([(0, 0) if i is None else i.shape[1::-1] for i in images], np.int64).reshape(-1, 2),
        )

    return estimate


def predicted(model: Any, images: Sequence[Any], label: int, options: dict[str, Any]) -> list[Any]:
    """Ultralytics' results for images (H, W, 3) RGB, with NumPy arrays, of the objects of one class alone."""
    if not images:
        return []
    settings = {"classes": [label], "verbose": False, **options}
    return [result.cpu().numpy() for result in model.predict([bgr(image) for image in images], **settings)]


def joints_of(result: Any) -> np.ndarray:
    """(N, K, 3) x, y and score of the joints in a result, NaN where they are absent."""
    if result.keypoints is None:
        raise ValueError("model must find joints, as a pose model does; got results without keypoints")
    joints = np.array(result.keypoints.data, np.float32)
    joints[(joints[..., :2] == 0).all(-1)] = np.nan
    return joints
