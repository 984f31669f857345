"""Mask R-CNN over the frames of a video: people's tubes, boxes and joints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ptfast.io import Frame
from ptfast.models import Limits, MaskRcnn3d, Tubes
from ptfast.models.appearance import crop_features
from ptfast.models.detection import boxes_in_features, detect_in_features
from ptfast.models.images import normalise_clips
from ptfast.models.keypoints import decode_bicubic
from ptfast.ops import heatmap_peaks, heatmap_to_image
from ptfast.pipeline.detectors import Boxes
from ptfast.pipeline.images import fit, to_original
from ptfast.pipeline.precision import Precision, runs_in_bfloat16
from ptfast.pipeline.weights import load_mask_rcnn_weights
from ptfast.pipeline.windows import Segment, runs, segment_around
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses


@dataclass(frozen=True)
class MaskRcnnSettings:
    """Settings of a Mask R-CNN over clips; the defaults are those of Detect-and-Track (Girdhar et al. 2018).

    Attributes:
        frames: T of a clip, odd (section 4.3); 1 for a 2D model.
        windowing: "dense", every clip by itself (section 3.1: "in a sliding-window manner"), or "chunked": the body
            runs once over a long chunk, and only proposals and heads run on clips of its features.
        batch: Clips at a time, or of a chunk.
        short_side: Shorter side of the images that the network sees, in pixels (section 4.3).
        long_side: The longer side, at most.
        limits: Numbers of proposals and people, thresholds of suppression.
        decode: Where a heatmap's peak is: "bicubic", enlarged to the box's size as in Mask R-CNN's code, or "quarter",
            the pixel and a quarter towards its higher neighbour, which is faster.
        caffe2: Coordinates as in the released code, for its weights: a box's width has one pixel more.
        precision: "float32", "bfloat16", or "auto": the latter where the processor computes in it.

    Raises:
        ValueError: A setting is out of range.
    """

    frames: int = 3
    windowing: Literal["dense", "chunked"] = "dense"
    batch: int = 8
    short_side: int = 256
    long_side: int = 333
    limits: Limits = field(default_factory=Limits)
    decode: Literal["bicubic", "quarter"] = "bicubic"
    caffe2: bool = False
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        if self.frames < 1 or self.frames % 2 == 0:
            raise ValueError(f"frames must be odd and positive, got {self.frames}")
        for name, values in (("windowing", ("dense", "chunked")), ("decode", ("bicubic", "quarter"))):
            if getattr(self, name) not in values:
                raise ValueError(f"{name} must be one of {values}, got {getattr(self, name)!r}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, got {self.batch}")


class MaskRcnn:
    """A 2D or 3D Mask R-CNN with what it takes to run over a video.

    It is a person detector of `ptfast.pipeline.detectors`, too: called with frames and key frames, it gives the boxes
    of the key frames.

    Args:
        model: The network.
        skeleton: Its joints.
        settings: How it runs.
        device: Where it runs.

    Raises:
        ValueError: The skeleton has other joints than the network.
    """

    def __init__(
        self,
        model: MaskRcnn3d,
        skeleton: Skeleton = POSETRACK_15,
        settings: MaskRcnnSettings | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if len(skeleton) != model.architecture.joints:
            raise ValueError(f"skeleton must have the model's {model.architecture.joints} joints, got {len(skeleton)}")
        self.model = model.to(device).eval()
        self.skeleton, self.settings, self.device = skeleton, settings or MaskRcnnSettings(), torch.device(device)
        self.bfloat16 = runs_in_bfloat16(self.settings.precision, self.device)

    @property
    def frames(self) -> int:
        """T, of the windows that it looks at."""
        return self.settings.frames

    def depends_on(self) -> dict[str, object]:
        """Settings that the results depend on, in JSON's types."""
        return {item.name: getattr(self.settings, item.name) for item in fields(MaskRcnnSettings)} | {
            "limits": asdict(self.settings.limits)
        }

    def poses(self, segment: Segment) -> Iterator[tuple[Frame, Poses]]:
        """The frames that a segment has results for, and their people. Joint scores are logits."""
        if segment.frames[0].image is None:
            yield segment.frames[0], self.frame_poses(segment.frames[0], None, 0)
            return
        tubes = self.tubes(segment)
        for index in segment.results:
            window, place = segment.place(index)
            yield segment.frames[index], self.frame_poses(segment.frames[index], tubes[window], place)

    def __call__(self, frames: Sequence[Frame], keys: Sequence[int]) -> list[Boxes]:
        """Detects people in key frames.

        A key frame's boxes are those of the window that has it in its centre or, at the ends of a shot, of the nearest.

        Args:
            frames: Consecutive frames of one size, all decoded.
            keys: Positions of the key frames among them, rising.
        """
        if self.frames == 1:  # then key frames far apart can go through the network together
            frames, keys = [frames[key] for key in keys], range(len(keys))
        found = []
        for part in runs(keys, self.settings.batch):
            segment, first = segment_around(frames, part, self.frames)
            windows = self.boxes(segment)
            for key in part:
                window, place = segment.place(key - first)
                boxes, scores = windows[window]
                found.append((boxes[:, place], scores))
        return found

    @torch.inference_mode()
    def tubes(self, segment: Segment) -> list[Tubes]:
        """People's tubes in every window of a segment."""
        with self.autocast():
            features, size = self.features(segment)
            return detect_in_features(self.model, features, size, self.settings.limits)

    @torch.inference_mode()
    def boxes(self, segment: Segment) -> list[tuple[np.ndarray, np.ndarray]]:
        """(M, T, 4) boxes in the frames' pixels and (M,) scores of every window's people, without their joints."""
        with self.autocast():
            features, size = self.features(segment)
            found = boxes_in_features(self.model, features, size, self.settings.limits)
        shape = segment.frames[0].image.shape[:2]  # type: ignore[union-attr]
        return [(self.in_frame(boxes, shape), scores.cpu().numpy()) for boxes, scores in found]

    def features(self, segment: Segment) -> tuple[list[Tensor], tuple[int, int]]:
        """Features (windows, C, T, h, w) of each level, and height and width of the images that they are of."""
        settings, model = self.settings, self.model
        images = [frame.image for frame in segment.frames if frame.image is not None]
        fitted = fit(images, settings.short_side, settings.long_side)
        frames = torch.from_numpy(fitted).to(self.device)
        clip = normalise_clips(frames[None], multiple=max(model.strides), mean=model.architecture.image_mean)
        size = fitted.shape[1:3]
        if settings.windowing == "dense":
            return model.features(_windows(clip, settings.frames)), size
        return [_windows(level, settings.frames) for level in model.features(clip)], size

    def autocast(self) -> torch.autocast:
        """The precision that the settings ask for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def in_frame(self, boxes: Tensor, shape: tuple[int, int]) -> np.ndarray:
        """Boxes (..., 4) of the network's image in the pixels of a frame of `shape` = (height, width)."""
        corners = boxes.cpu().numpy().reshape(*boxes.shape[:-1], 2, 2)
        return to_original(corners, shape, self.settings.short_side, self.settings.long_side).reshape(boxes.shape)

    def frame_poses(self, frame: Frame, tubes: Tubes | None, place: int) -> Poses:
        """One frame's poses out of a window's tubes, in which the frame stands at `place`."""
        joints = len(self.skeleton)
        keypoints, logits = np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32)
        boxes, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        if frame.image is not None and tubes is not None and len(tubes.scores):
            shape = frame.image.shape[:2]
            at = tubes.boxes[:, place]
            places, peaks = self.decode(tubes.heatmaps[:, :, place], at)
            keypoints = to_original(places.cpu().numpy(), shape, self.settings.short_side, self.settings.long_side)
            boxes, scores, logits = self.in_frame(at, shape), tubes.scores.cpu().numpy(), peaks.cpu().numpy()
        return Poses(
            keypoints=keypoints,
            joint_scores=logits,
            boxes=boxes,
            scores=scores,
            frame_offsets=np.array([0, len(scores)]),
            skeleton=self.skeleton,
            frame_names=(frame.name,),
            frame_ids=np.array([frame.index]),
            frame_size=np.array([frame.size]),
        )

    def decode(self, heatmaps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """(M, K, 2) places in the network's image and (M, K) logits of heatmaps (M, K, 56, 56) over boxes (M, 4)."""
        if self.settings.caffe2:  # a box that ends in pixel x2 is x2 - x1 + 1 wide there
            boxes = boxes + torch.tensor([0.0, 0.0, 1.0, 1.0], device=boxes.device)
        if self.settings.decode == "bicubic":
            return decode_bicubic(heatmaps, boxes)
        places, peaks = heatmap_peaks(heatmaps, refine="quarter")
        size = heatmaps.shape[-2], heatmaps.shape[-1]
        return heatmap_to_image(places, boxes, heatmap_size=size, convention="roi"), peaks

    def appearance(self, frame: Frame, boxes: np.ndarray) -> Tensor:
        """(N, C) features of the crops of a frame's boxes (N, 4) (section 3.1, "Visual similarity")."""
        if frame.image is None:
            return torch.zeros(0, self.model.body.channels[2])
        return crop_features(self.model, frame.image[None], boxes)


def load_mask_rcnn(
    weights: str | Path = "detect-and-track", *, device: str | torch.device = "cpu", **settings: object
) -> MaskRcnn:
    """A Mask R-CNN with weights of a file, or those that come along, and the settings that suit them.

    Args:
        weights: As `ptfast.pipeline.weights.load_mask_rcnn_weights` takes them.
        device: Where the network runs.
        **settings: Entries of MaskRcnnSettings that differ from the weights' own.
    """
    loaded = load_mask_rcnn_weights(weights)
    known = {item.name for item in fields(MaskRcnnSettings)}
    own = {name: value for name, value in loaded.settings.items() if name in known}  # the rest is the method's
    return MaskRcnn(loaded.model, loaded.skeleton, MaskRcnnSettings(**with_limits(own | settings)), device)


def with_limits(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings whose `limits` may be a dictionary, as in a card."""
    if isinstance(settings.get("limits"), dict):
        return settings | {"limits": Limits(**settings["limits"])}
    return settings


def _windows(clip: Tensor, length: int) -> Tensor:
    """(1, C, F, H, W) as its F - length + 1 windows (., C, length, H, W)."""
    starts = range(clip.shape[2] - length + 1)
    return torch.cat([clip[:, :, start : start + length] for start in starts])
