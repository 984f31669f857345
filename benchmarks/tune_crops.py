"""Choice of how a person is cut out of an image for a MoveNet that sees one person, on pictures that train.

`area` is what `ptfast.pipeline.SinglePose` does: where a square is larger than the crop, a pixel is the mean of all
that it covers. `points` is `ptfast.ops.crop_tubes`, which interpolates between the four nearest pixels at every size,
as the crops of the other pose networks are made.

`python benchmarks/tune_crops.py` writes benchmarks/results/tune_crops.json: AP on the training part of coco_mini in
NanoDet's boxes and in those of MultiPose too (quality full), and PCK on every second picture of Leeds Sports Pose
Extended in the boxes of the annotated joints. It needs the images that PTFAST_DATA (default ../shared/data) holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
from people_in_pictures import Pictures, joints_in_boxes, read_lspet
from real_people_scores import pck_of
from studies import save
from tune_real_people import ANNOTATIONS, average_precision, estimated

from ptfast.io import read_poses
from ptfast.methods import Online
from ptfast.ops import crop_tubes
from ptfast.pipeline import load_person_poses, person_poses

Crop = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
CROPS: dict[str, Crop] = {"area": person_poses.crop, "points": lambda *arguments: point_crop(*arguments)}
QUALITIES: dict[str, dict[str, Any]] = {
    "nanodet-thunder": {"detector": "nanodet-g", "pose": "movenet-thunder"},
    "full": {"quality": "full"},
}


def point_crop(image: np.ndarray, square: np.ndarray, size: int) -> np.ndarray:
    """A square (3,) of an image (H, W, 3) as (size, size, 3) uint8 by `crop_tubes`, whose pixels are half of one off.

    Its pixel i is at x1 + i * side / size; `cv2.resize` has the centre of pixel i at (i + 0.5) * side / size - 0.5.
    """
    x, y, side = (float(value) for value in square)
    shift = 0.5 * side / size - 0.5
    tube = np.array([[[x + shift, y + shift, x + shift + side, y + shift + side]]], np.float32)
    scale = (1 / 255,) * 3
    crops = crop_tubes(image[None], tube, np.zeros((1, 1), np.int64), size=(size, size), mean=(0, 0, 0), std=scale)
    return np.rint(crops[0, :, 0].transpose(1, 2, 0)).astype(np.uint8)


def joints_right(pictures: Pictures) -> float:
    """PCK of Thunder's joints of the body, within a fifth of the longer diagonal of the torso."""
    network = load_person_poses("movenet-thunder")
    keypoints, _ = joints_in_boxes(network, pictures)
    joints = dict(zip(network.skeleton.joints, keypoints.swapaxes(0, 1), strict=True))
    body = [joint for joint in pictures.joints if "head" not in joint]
    return pck_of(pictures, joints, body, ("left", "right"), slice(None, None, 2))


def main() -> None:
    """Prints the table and writes the figures."""
    truth, pictures, rows = read_poses(ANNOTATIONS), read_lspet(), []
    for name, cut in CROPS.items():
        with mock.patch.object(person_poses, "crop", cut):
            row: dict[str, Any] = {"crops": name}
            for quality, which in QUALITIES.items():
                figures = average_precision(estimated(Online.load(**which).estimate, truth)[0], truth)
                row |= {f"AP, {quality}": figures["AP"]}
            rows.append(row | {"PCK": joints_right(pictures)})
    save("tune_crops", "crops", rows, data="coco_mini train2017, every second picture of lspet")


if __name__ == "__main__":
    main()
