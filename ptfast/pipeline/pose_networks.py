"""Pose networks on crops of people, over the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import torch

from ptfast.io import Frame
from ptfast.models.tubes import PoseNetwork, estimate_tubes
from ptfast.ops.heatmap import Refinement
from ptfast.pipeline.precision import Precision, runs_in_bfloat16
from ptfast.skeletons import POSETRACK_15, Skeleton


class TubePoses:
    """A pose network with what it takes to run over tubes of people.

    Args:
        model: A network that sees the frames of a tube together, or single frames, which it then sees each by itself.
        size: Height and width of the crops that the network sees.
        skeleton: Its joints.
        flip: Averages the heatmaps of the mirrored crops in.
        refine: Placement of a joint between the heatmap's pixels. "taylor" suits small heatmaps better than "quarter",
            which is HRNet's.
        precision: "float32", "bfloat16", or "auto": the latter where the processor computes in it.
        device: Where the network runs.

    Raises:
        ValueError: The network has other joints than the skeleton, its crops cannot have the size, or `refine` or
            `precision` is none of those.
    """

    def __init__(
        self,
        model: PoseNetwork,
        size: tuple[int, int],
        skeleton: Skeleton = POSETRACK_15,
        *,
        flip: bool = True,
        refine: Refinement = "quarter",
        precision: Precision = "auto",
        device: str | torch.device = "cpu",
    ) -> None:
        joints = model.architecture.joints
        if joints != len(skeleton):
            raise ValueError(f"skeleton must have the network's {joints} joints, got {skeleton.name}")
        if any(side % model.multiple for side in size):
            raise ValueError(f"size must be multiples of {model.multiple}, got {size}")
        if refine not in get_args(Refinement):
            raise ValueError(f"refine must be one of {get_args(Refinement)}, got {refine!r}")
        self.model, self.size, self.skeleton = model.to(device).eval(), size, skeleton
        self.flip, self.refine, self.device = flip, refine, torch.device(device)
        self.bfloat16 = runs_in_bfloat16(precision, self.device)

    @torch.inference_mode()
    def __call__(
        self, frames: Sequence[Frame], boxes: np.ndarray, frame_index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Estimates the joints of M people in every frame of their tubes.

        Args:
            frames: Frames of one size, all decoded.
            boxes: (M, 4) float32 xyxy pixels.
            frame_index: (M, T) int64 positions in `frames`.

        Returns:
            (M, T, K, 2) float32 keypoints in the frames' pixels and (M, T, K) float32 scores.
        """
        shape = (*frame_index.shape, len(self.skeleton))
        if not len(boxes):
            return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
        images = np.stack([frame.image for frame in frames if frame.image is not None])
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return estimate_tubes(
                self.model,
                torch.from_numpy(images).to(self.device),
                boxes,
                frame_index,
                size=self.size,
                skeleton=self.skeleton,
                flip=self.flip,
                refine=self.refine,
            )

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return {"size": list(self.size), "flip": self.flip, "refine": self.refine, "bfloat16": self.bfloat16}
