"""What gpu_check.py times of the networks that see real people, on frames of the demo's clip."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import cv2
import numpy as np
import torch
from gpu_kernels import DEVICE, Call
from torch import Tensor

from ptfast.cli.demo import CLIP
from ptfast.io import open_video
from ptfast.pipeline import MultiPose, MultiPoseSettings
from ptfast.pipeline.weights import load_movenet_weights
from ptfast.structures import Poses

SIZE = (640, 480)  # width and height
SURE = 0.3  # score of a person who is there
CLOSE = 3.0  # pixels; the median of the joints of the surest person of a frame


def images(count: int) -> list[np.ndarray]:
    """The clip's first frames, (480, 640, 3) uint8 each."""
    with open_video(CLIP, limit=count) as video:
        return [cv2.resize(frame.image, SIZE) for frame in video if frame.image is not None]


def network(count: int) -> Call:
    """MultiPose's maps of some images, in bfloat16, as a captured graph."""
    model = load_movenet_weights("movenet-multipose").model.to(DEVICE).eval()
    narrow = deepcopy(model).bfloat16()
    batch = torch.from_numpy(np.stack(images(count))).to(DEVICE).permute(0, 3, 1, 2)

    @torch.inference_mode()
    def heatmaps(of: torch.nn.Module, parts: int = 1) -> Tensor:
        return torch.cat([of(part)["kpt_heatmap"] for part in batch.chunk(parts)])

    def agree(ours: Tensor, theirs: Tensor) -> None:
        assert (ours - theirs).abs().mean() < 5e-3

    return Call(
        lambda: heatmaps(narrow),
        {"float32": lambda: heatmaps(model), "float32, one image at a time": lambda: heatmaps(model, count)},
        agree=agree,
    )


def estimator(count: int) -> Call:
    """From images in memory to poses in memory, at one size."""
    model, frames = load_movenet_weights("movenet-multipose").model, images(count)
    here = MultiPose(deepcopy(model), settings=MultiPoseSettings(long_side=SIZE[0]), device=DEVICE)
    on_the_host = MultiPose(model, settings=MultiPoseSettings(long_side=SIZE[0], precision="float32"))

    def agree(ours: Poses, theirs: Poses) -> None:
        for one, other in zip(ours, theirs, strict=True):
            if one.scores.max(initial=0) < SURE:
                continue  # nobody is there
            away = np.linalg.norm(other.keypoints - one.keypoints[0], axis=2)  # (P, K) from the surest person
            assert np.median(away, axis=1).min() < CLOSE

    return Call(
        lambda: here(frames),
        {
            "one image at a time": lambda: Poses.concatenate([here([frame]) for frame in frames]),
            "float32 on the CPU": lambda: on_the_host(frames),
        },
        agree=agree,
        host=True,
    )


CASES: dict[str, Callable[[], Call]] = {
    "MultiPose's network, 8 images of 640x480, bfloat16": lambda: network(8),
    "MultiPose, 8 images of 640x480 to poses": lambda: estimator(8),
}
