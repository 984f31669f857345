"""Detect-and-Track: people's tubes and joints by a 3D Mask R-CNN over short clips, then bipartite matching.

Girdhar, Gkioxari, Torresani, Paluri, Tran: Detect-and-Track: Efficient Pose Estimation in Videos. CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ptfast.io import Frame, Video, open_video
from ptfast.methods._pictures import fit, to_original
from ptfast.methods._precision import Precision, runs_in_bfloat16
from ptfast.methods._weights import load_named
from ptfast.methods._whole import gathered
from ptfast.methods._windows import Segment, segments
from ptfast.methods.matching import MatcherLinker, link_with_matcher, load_matcher
from ptfast.models import Limits, MaskRcnn3d, Tubes
from ptfast.models.appearance import crop_features
from ptfast.models.detection import boxes_in_features, detect_in_features
from ptfast.models.images import normalise_clips
from ptfast.models.keypoints import decode_bicubic
from ptfast.ops import heatmap_peaks, heatmap_to_image
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.tracking import Cost, LinkSettings, Matcher, OnlineLinker, link, weighted_cost


@dataclass(frozen=True)
class Config:
    """The paper's settings.

    Attributes:
        frames: T of a clip, odd (section 4.3); 1 for a 2D model.
        windowing: "dense", every clip by itself (section 3.1: "in a sliding-window manner"), or "chunked": the body
            runs once over a long chunk, and only proposals and heads run on clips of its features.
        batch: Clips at a time, or of a chunk.
        short_side: Of the pictures that the network sees, in pixels (section 4.3).
        long_side: The longer side, at most.
        limits: Numbers of proposals and people, thresholds of suppression.
        decode: Where a heatmap's peak is: "bicubic", enlarged to the box's size as in Mask R-CNN's code, or "quarter",
            the pixel and a quarter towards its higher neighbour, which is faster.
        min_score: Detections under it are dropped before matching (section 4.2, table 1).
        min_area: Of a box in square pixels, below which it is dropped (released code).
        min_joint_score: Logit under which a joint is dropped (section 4.1).
        cost: What two detections are compared by (section 3.1, table 3): "iou" of boxes, "pckh" or "oks" of joints,
            "lstm", the learned matcher, or a function as `ptfast.link` takes it.
        cost_weights: Of 1 - IoU, 1 - PCKh and the cosine distance of the crops' features, whose sum replaces `cost`;
            None for `cost` alone.
        matcher: "hungarian" or "greedy" (table 2).
        lookback: Frames back that a detection is matched with.
        max_cost: Costlier pairs are never made; None matches every possible pair, as the paper does.
        joint_score: What a joint's score in the result is: its detection's, "box", as in the released code, or the
            logit itself.
        caffe2: Coordinates as in the released code, for its weights: a box's width has one pixel more.
        precision: "float32", "bfloat16", or "auto": the latter where the processor computes in it.
    """

    frames: int = 3
    windowing: Literal["dense", "chunked"] = "dense"
    batch: int = 8
    short_side: int = 256
    long_side: int = 333
    limits: Limits = field(default_factory=Limits)
    decode: Literal["bicubic", "quarter"] = "bicubic"
    min_score: float = 0.95
    min_area: float = 50.0
    min_joint_score: float = 1.95
    cost: Cost | Literal["lstm"] = "iou"
    cost_weights: tuple[float, float, float] | None = None
    matcher: Matcher = "hungarian"
    lookback: int = 1
    max_cost: float | None = None
    joint_score: Literal["box", "logit"] = "box"
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
        LinkSettings(  # raises for what stage 2 would refuse, hours later perhaps
            cost="iou" if self.cost == "lstm" else self.cost,
            matcher=self.matcher,
            lookback=self.lookback,
            motion="none",
            sigma_scale=1.0,
            max_cost=self.max_cost,
            min_score=self.min_score,
            min_joint_score=self.min_joint_score,
            max_tracks=None,
        )


class DetectAndTrack:
    """The method with a network's weights.

    Args:
        model: The network.
        skeleton: Its joints.
        config: Settings.
        device: Where the network runs.

    Example:
        >>> method = DetectAndTrack.load("detect-and-track")
        >>> poses = method.track("video.mp4")
    """

    def __init__(
        self,
        model: MaskRcnn3d,
        skeleton: Skeleton = POSETRACK_15,
        config: Config | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if len(skeleton) != model.architecture.joints:
            raise ValueError(f"skeleton must have the model's {model.architecture.joints} joints, got {len(skeleton)}")
        self.model = model.to(device).eval()
        self.skeleton, self.config, self.device = skeleton, config or Config(), torch.device(device)
        self.bfloat16 = runs_in_bfloat16(self.config.precision, self.device)

    @classmethod
    def load(
        cls, weights: str | Path = "detect-and-track", *, device: str | torch.device = "cpu", **settings: object
    ) -> DetectAndTrack:
        """The method with weights of a file, or those that come with ptfast, and the settings that suit them.

        Args:
            weights: "detect-and-track"; a *.safetensors file with its card beside it; a *.pth file, torchvision's
                keypoint R-CNN; or a *.pkl file, Detectron's or the paper's own.
            device: Where the network runs.
            **settings: Entries of Config that differ from the weights' own.
        """
        model, known, skeleton = load_named(weights)
        chosen = known | settings
        if isinstance(chosen.get("limits"), dict):
            chosen["limits"] = Limits(**chosen["limits"])
        return cls(model, skeleton, Config(**chosen), device)

    def track(self, video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
        """Poses with track ids of a whole video.

        Args:
            video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB pictures.
        """
        return gathered(self.stream, video)

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Poses with track ids, frame by frame, in constant memory.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB pictures.

        Yields:
            Poses of one frame each. A frame that could not be decoded has none, and the tracks go on after it.
        """
        linker = self.linker()
        for detections in self.detect(frames):
            yield self.finish(linker.update(self.large(detections)))

    def detect(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Stage 1: spatiotemporal pose estimation over clips (section 3.1).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB pictures.

        Yields:
            Poses of one frame each, without track ids; joint_scores are logits. Where the settings weigh crops, they
            have features["appearance"], for which every frame's crops go through the backbone a second time.
        """
        video = frames if isinstance(frames, Video) else open_video(frames)
        for segment in segments(video, self.config.frames, self.config.batch):
            for frame, detections in self.detect_in_segment(segment):
                yield self.with_appearance(frame, detections) if self.sees_crops() else detections

    def link(self, detections: Poses | Iterable[Poses]) -> Poses:
        """Stage 2: bipartite matching of each frame's detections with those of the frame before (section 3.1).

        Args:
            detections: Of all frames of a video, as `detect` gives them.

        Returns:
            The poses that `stream` gives.

        Raises:
            ValueError: The settings weigh the features of crops, and the detections have none.
        """
        settings = self.thresholds()
        if not isinstance(detections, Poses):
            detections = Poses.concatenate(list(detections))
        if self.config.cost == "lstm":
            linked = link_with_matcher(
                self.large(detections), load_matcher(), matcher_method=self.config.matcher, **settings
            )
        else:
            linked = link(
                self.large(detections), cost=self.cost(), matcher=self.config.matcher, motion="none", **settings
            )
        return self.finish(linked)

    @property
    def context(self) -> int:
        """Frames before and after one that its detections may depend on."""
        return self.config.frames - 1

    def depends_on(self) -> dict[str, object]:
        """The settings that detections depend on, in JSON's types."""
        names = ("frames", "caffe2", "windowing", "short_side", "long_side", "decode", "precision")
        return {name: getattr(self.config, name) for name in names} | {"limits": asdict(self.config.limits)}

    def count(self, detections: Poses) -> int:
        """How many people there seem to be in a frame that `detect` gave."""
        return int((detections.scores >= self.config.min_score).sum())

    def linker(self) -> OnlineLinker | MatcherLinker:
        """Stage 2 frame by frame."""
        matcher, settings = self.config.matcher, self.thresholds()
        if self.config.cost == "lstm":
            return MatcherLinker(load_matcher(), matcher_method=matcher, **settings)
        return OnlineLinker(cost=self.cost(), matcher=matcher, motion="none", **settings)

    def cost(self) -> Cost:
        """The costs of section 3.1, "Likelihood metrics"."""
        if self.config.cost_weights is None:
            return self.config.cost  # type: ignore[return-value]
        return weighted_cost(*self.config.cost_weights)

    def thresholds(self) -> dict[str, Any]:
        """Which detections are linked, and how far back."""
        names = ("lookback", "max_cost", "min_score", "min_joint_score")
        return {name: getattr(self.config, name) for name in names}

    def sees_crops(self) -> bool:
        """Whether linking weighs the features of crops."""
        return self.config.cost_weights is not None and self.config.cost_weights[2] > 0

    def with_appearance(self, frame: Frame, detections: Poses) -> Poses:
        """A frame's detections with the features (N, C) of their crops, zeros for boxes too small to be linked."""
        features = torch.zeros(len(detections.boxes), self.model.body.channels[2])
        if frame.image is not None:
            large = self.is_large(detections)
            features[large] = crop_features(self.model, frame.image[None], detections.boxes[large]).cpu()
        return replace(detections, features={"appearance": features})

    def large(self, detections: Poses) -> Poses:
        """The detections whose boxes are large enough."""
        return detections.select(self.is_large(detections))

    def is_large(self, detections: Poses) -> np.ndarray:
        """(N,) True where a detection's box is large enough."""
        return (detections.boxes[:, 2:] - detections.boxes[:, :2]).prod(1) >= self.config.min_area

    def finish(self, poses: Poses) -> Poses:
        """The tracks with joint scores as the settings want them, and without the features of crops."""
        poses = replace(poses, features={key: poses.features[key] for key in poses.features if key != "appearance"})
        if self.config.joint_score == "logit":
            return poses
        scores = np.where(poses.joint_visibility > 0, poses.scores[:, None], np.float32(0))
        return replace(poses, joint_scores=scores)

    def detect_in_segment(self, segment: Segment) -> Iterator[tuple[Frame, Poses]]:
        """The frames that a segment has results for, and their detections."""
        if segment.frames[0].image is None:
            yield segment.frames[0], self.frame_poses(segment.frames[0], None, 0)
            return
        tubes = self.tubes(segment)
        for index in segment.results:
            window, place = segment.place(index)
            yield segment.frames[index], self.frame_poses(segment.frames[index], tubes[window], place)

    @torch.inference_mode()
    def tubes(self, segment: Segment) -> list[Tubes]:
        """People's tubes in every window of a segment."""
        with self.autocast():
            features, size = self.features(segment)
            return detect_in_features(self.model, features, size, self.config.limits)

    @torch.inference_mode()
    def boxes(self, segment: Segment) -> list[tuple[np.ndarray, np.ndarray]]:
        """(M, T, 4) boxes in the frames' pixels and (M,) scores of every window's people, without their joints."""
        with self.autocast():
            features, size = self.features(segment)
            found = boxes_in_features(self.model, features, size, self.config.limits)
        shape = segment.frames[0].image.shape[:2]  # type: ignore[union-attr]
        return [(self.in_frame(boxes, shape), scores.cpu().numpy()) for boxes, scores in found]

    def features(self, segment: Segment) -> tuple[list[Tensor], tuple[int, int]]:
        """Features (windows, C, T, h, w) of each level, and height and width of the pictures that they are of."""
        config, model = self.config, self.model
        images = [frame.image for frame in segment.frames if frame.image is not None]
        pictures = fit(images, config.short_side, config.long_side)
        frames = torch.from_numpy(pictures).to(self.device)
        clip = normalise_clips(frames[None], multiple=max(model.strides), mean=model.architecture.image_mean)
        size = pictures.shape[1:3]
        if config.windowing == "dense":
            return model.features(windows_of(clip, config.frames)), size
        return [windows_of(level, config.frames) for level in model.features(clip)], size

    def autocast(self) -> torch.autocast:
        """The precision that the settings ask for."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def in_frame(self, boxes: Tensor, shape: tuple[int, int]) -> np.ndarray:
        """Boxes (..., 4) of the network's picture in the pixels of a frame of `shape` = (height, width)."""
        corners = boxes.cpu().numpy().reshape(*boxes.shape[:-1], 2, 2)
        return to_original(corners, shape, self.config.short_side, self.config.long_side).reshape(boxes.shape)

    def frame_poses(self, frame: Frame, tubes: Tubes | None, place: int) -> Poses:
        """One frame's poses out of a window's tubes."""
        joints = len(self.skeleton)
        keypoints, logits = np.zeros((0, joints, 2), np.float32), np.zeros((0, joints), np.float32)
        boxes, scores = np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        if frame.image is not None and tubes is not None and len(tubes.scores):
            shape = frame.image.shape[:2]
            at = tubes.boxes[:, place]
            places, peaks = self.decode(tubes.heatmaps[:, :, place], at)
            keypoints = to_original(places.cpu().numpy(), shape, self.config.short_side, self.config.long_side)
            boxes, scores, logits = self.in_frame(at, shape), tubes.scores.cpu().numpy(), peaks.cpu().numpy()
        size = (0, 0) if frame.image is None else frame.image.shape[1::-1]
        return Poses(
            keypoints=keypoints,
            joint_scores=logits,
            boxes=boxes,
            scores=scores,
            frame_offsets=np.array([0, len(scores)]),
            skeleton=self.skeleton,
            frame_names=(frame.name,),
            frame_ids=np.array([frame.index]),
            frame_size=np.array([size]),
        )

    def decode(self, heatmaps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """(M, K, 2) places in the network's picture and (M, K) logits of heatmaps (M, K, 56, 56) over boxes (M, 4)."""
        if self.config.caffe2:  # a box that ends in pixel x2 is x2 - x1 + 1 wide there
            boxes = boxes + torch.tensor([0.0, 0.0, 1.0, 1.0], device=boxes.device)
        if self.config.decode == "bicubic":
            return decode_bicubic(heatmaps, boxes)
        places, peaks = heatmap_peaks(heatmaps, refine="quarter")
        size = heatmaps.shape[-2], heatmaps.shape[-1]
        return heatmap_to_image(places, boxes, heatmap_size=size, convention="roi"), peaks


def windows_of(clip: Tensor, length: int) -> Tensor:
    """(1, C, F, H, W) as its F - length + 1 windows (., C, length, H, W)."""
    starts = range(clip.shape[2] - length + 1)
    return torch.cat([clip[:, :, start : start + length] for start in starts])
