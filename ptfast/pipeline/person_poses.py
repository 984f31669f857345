"""Joints of people whose boxes are known: pose networks that see a square crop of one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from ptfast.io import Frame
from ptfast.models import MoveNet, decode_singlepose
from ptfast.pipeline.cores import one_a_core
from ptfast.skeletons import COCO_17, Skeleton

PersonPoses = Callable[[Sequence[Frame], np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Takes frames of one size, all decoded, (M, 4) xyxy boxes and (M, T) positions among the frames; gives (M, T, K, 2)
keypoints and (M, T, K) scores. `ptfast.pipeline.TubePoses` is one, and so is `SinglePose`."""

ENLARGEMENT = 1.25  # of a box's longer side
SMALLEST = 8  # pixels; of a box's longer side


class SinglePose:
    """A MoveNet that sees one person at a time, in a square about their box.

    Args:
        model: The network, with or without boxes.
        skeleton: Its joints.
        size: Height and width of the crops that the network sees, 256 in Thunder.
        batch: Crops that the network sees at a time.
        device: Where it runs.

    Raises:
        ValueError: The network has other joints than the skeleton, or its crops cannot have the size.
    """

    def __init__(
        self,
        model: MoveNet,
        skeleton: Skeleton = COCO_17,
        *,
        size: int = 256,
        batch: int = 8,
        device: str | torch.device = "cpu",
    ) -> None:
        if len(skeleton) != model.architecture.joints:
            raise ValueError(f"skeleton must have the model's {model.architecture.joints} joints, got {len(skeleton)}")
        if size % model.multiple:
            raise ValueError(f"size must be a multiple of {model.multiple}, got {size}")
        self.model, self.skeleton = model.to(device).eval(), skeleton
        self.size, self.batch, self.device = size, batch, torch.device(device)

    @torch.inference_mode()
    def __call__(
        self, frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimates the joints of M people in frames, each in the same box in T of them.

        Args:
            frames: Decoded frames.
            boxes: (M, 4) float32 xyxy pixels.
            frame_index: (M, T) int64 positions in `frames`.

        Returns:
            (M, T, K, 2) float32 keypoints in the frames' pixels and (M, T, K) float32 scores.
        """
        shape = (*frame_index.shape, len(self.skeleton))
        squares = np.repeat(squares_about(boxes), frame_index.shape[1], 0)  # (M T, 3)
        index, parts = frame_index.reshape(-1), []
        for first in range(0, len(index), self.batch):
            part = slice(first, first + self.batch)
            seen = zip(index[part], squares[part], strict=True)
            crops = [crop(frames[f].image, square, self.size) for f, square in seen]
            parts.append(self._joints(np.stack(crops)))
        if not parts:
            return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        places, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        keypoints = places * (squares[:, 2] / self.size)[:, None, None] + squares[:, None, :2]
        return keypoints.astype(np.float32).reshape(*shape, 2), scores.reshape(shape)

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return {"size": self.size, "batch": self.batch}

    def _joints(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(B, K, 2) pixels of crops (B, size, size, 3) and (B, K) scores; on the CPU each crop goes by itself."""
        inputs = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2)
        parts = [inputs] if self.device.type != "cpu" else inputs.split(1)
        found = one_a_core(lambda part: decode_singlepose(self.model(part))[:2], parts)
        keypoints, scores = (torch.cat(column).cpu().numpy() for column in zip(*found, strict=True))
        return keypoints, scores


def squares_about(boxes: np.ndarray) -> np.ndarray:
    """(M, 3) int64 x and y of the upper left corner, and the side, of squares about boxes (M, 4), 25 % larger."""
    longer = (boxes[:, 2:] - boxes[:, :2]).max(1, initial=0)
    side = np.ceil(np.maximum(longer, SMALLEST) * ENLARGEMENT)
    corners = np.floor((boxes[:, :2] + boxes[:, 2:]) / 2 - side[:, None] / 2)
    return np.concatenate([corners, side[:, None]], 1).astype(np.int64)


def crop(image: np.ndarray, square: np.ndarray, size: int) -> np.ndarray:
    """A square of an image as (size, size, 3) uint8, black outside of the image.

    A pixel is the mean of all that it covers where the square is larger than `size`: `crop_tubes` takes single points
    of it.

    Args:
        image: (H, W, 3) uint8.
        square: (3,) x and y of the upper left corner, and the side, in whole pixels.
        size: Height and width of the result.
    """
    x, y, side = square.tolist()
    height, width = image.shape[:2]
    part = np.zeros((side, side, 3), np.uint8)
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if right > left and bottom > top:
        part[top - y : bottom - y, left - x : right - x] = image[top:bottom, left:right]
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR)
