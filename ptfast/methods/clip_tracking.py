"""Clip tracking: a person's poses in all frames around each detection, joined by OKS, merged by shortest paths.

Wang, Tighe, Modolo: Combining detection and tracking for human pose estimation in videos. CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from ptfast._check import check_integer, check_number, check_shape
from ptfast.io import Frame, Video, open_video
from ptfast.methods._clips import clip_index, key_frames, pack, unpack, without_padding
from ptfast.methods._polish import Merging, MovingMerge, merging_from
from ptfast.methods._precision import Precision, runs_in_bfloat16
from ptfast.methods._weights import load_pose_named
from ptfast.methods._whole import gathered
from ptfast.methods._windows import Segment, segments
from ptfast.methods.detect_and_track import DetectAndTrack
from ptfast.methods.detectors import Detector, checked, mask_rcnn
from ptfast.models.tubes import PoseNetwork, estimate_tubes
from ptfast.ops.heatmap import Refinement
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import OnlineJoiner


@dataclass(frozen=True)
class Config:
    """The paper's settings, and what it does not say.

    Attributes:
        frames: |C|, frames of a clip, odd (section 4.2). Nothing joins clips of 1 frame, so each of their poses is a
            track of its own.
        step: S, every which frame is a key frame: 1 to |C| - 1, so that clips overlap (section 4.2; figure 5b). The
            first and the last frame of a shot are key frames too where no other one's clip reaches them.
        batch: Key frames at a time.
        flip: Averages the heatmaps of the mirrored crops in (section 4.2).
        refine: How a joint is placed between the heatmap's pixels; "taylor" suits small heatmaps better than "quarter",
            which is HRNet's.
        min_box_score: Detections under it get no tube; None looks at all.
        min_similarity: Mean OKS under which two tracklets are not joined; None joins every possible pair, as the paper.
        sigma_scale: Factor on the skeleton's OKS sigmas when joining.
        merging: How the hypotheses of a joint become one (section 3.3), and which tracks are kept (section 4.1).
        precision: "float32", "bfloat16", or "auto": the latter where the processor computes in it.
    """

    frames: int = 9
    step: int = 1
    batch: int = 8
    flip: bool = True
    refine: Refinement = "quarter"
    min_box_score: float | None = 0.5
    min_similarity: float | None = 0.3
    sigma_scale: float = 1.0
    merging: Merging = field(default_factory=Merging)
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        check_integer("frames", self.frames, 1)
        if self.frames % 2 == 0:
            raise ValueError(f"frames must be odd, got {self.frames}")
        check_integer("step", self.step, 1, max(1, self.frames - 1))
        check_integer("batch", self.batch, 1)
        if self.refine not in get_args(Refinement):
            raise ValueError(f"refine must be one of {get_args(Refinement)}, got {self.refine!r}")
        if self.min_box_score is not None:
            check_number("min_box_score", self.min_box_score, -np.inf)
        if self.frames == 1 and self.merging.min_length > 1:
            raise ValueError(
                f"merging.min_length must be 1 where frames is 1, as nothing joins single frames, "
                f"got {self.merging.min_length}"
            )


class ClipTracking:
    """The method with a pose network's weights and a person detector.

    Args:
        model: The clip tracking network (section 3.1), or a single-frame one, which then sees each frame by itself.
        detector: Finds people in key frames: a DetectAndTrack, whose boxes are taken, or a detector of
            `ptfast.methods.detectors`; `each_image(function)` makes one of a function of one picture.
        size: Height and width of the crops that the network sees.
        skeleton: Its joints.
        config: Settings.
        device: Where the pose network runs.

    Raises:
        ValueError: The network has other joints than the skeleton, its crops cannot have the size, or a setting is out
            of range.
    """

    def __init__(
        self,
        model: PoseNetwork,
        detector: DetectAndTrack | Detector,
        *,
        size: tuple[int, int],
        skeleton: Skeleton = POSETRACK_15,
        config: Config | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.model = model.to(device).eval()
        self.detector = mask_rcnn(detector) if isinstance(detector, DetectAndTrack) else detector
        self.size, self.skeleton, self.config = size, skeleton, config or Config()
        self.check()
        # How many frames the pose network or the detector sees of a shot at a time.
        self.window = max(self.config.frames, getattr(self.detector, "frames", 1))
        self.device = torch.device(device)
        self.bfloat16 = runs_in_bfloat16(self.config.precision, self.device)

    def check(self) -> None:
        """Compares the parts with each other, before hours of work; raises as the class says."""
        joints = self.model.architecture.joints
        if joints != len(self.skeleton):
            raise ValueError(f"skeleton must have the network's {joints} joints, got {self.skeleton.name}")
        if any(side % self.model.multiple for side in self.size):
            raise ValueError(f"size must be multiples of {self.model.multiple}, got {self.size}")
        thresholds = np.asarray(self.config.merging.joint_thresholds)
        if thresholds.ndim:
            check_shape("merging.joint_thresholds", thresholds, ("K",), K=joints)
        self.joiner()

    def joiner(self) -> OnlineJoiner:
        """What joins tracklets."""
        return OnlineJoiner(min_similarity=self.config.min_similarity, sigma_scale=self.config.sigma_scale)

    @classmethod
    def load(
        cls,
        weights: str | Path = "clip-tracking",
        *,
        detector: str | Path | DetectAndTrack | Detector = "detect-and-track",
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> ClipTracking:
        """The method with weights of files, or those that come with ptfast, and the settings that suit them.

        Args:
            weights: "clip-tracking", "clip-tracking-2d"; a *.safetensors file with its card beside it; or a *.pth
                file, a published HRNet or PoseResNet.
            detector: Weights of a Mask R-CNN as `DetectAndTrack.load` takes them, or a detector.
            device: Where the networks run.
            **settings: Entries of Config that differ from the weights' own; `merging` may be a dictionary of those of
                its entries that differ.
        """
        model, known, skeleton, size = load_pose_named(weights)
        chosen = known | settings
        merging = chosen.pop("merging", {})
        if isinstance(merging, dict):
            merging = merging_from(known.get("merging", {}) | merging)
        if isinstance(detector, str | Path):
            detector = DetectAndTrack.load(detector, device=device)
        return cls(
            model, detector, size=size, skeleton=skeleton, config=Config(**chosen, merging=merging), device=device
        )

    def track(self, video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
        """Poses with track ids of a whole video.

        Args:
            video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB pictures.
        """
        return gathered(self.stream, video)

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Poses with track ids in constant memory; they come some dozens of frames after their pictures.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB pictures.

        Yields:
            Poses of one frame each.
        """
        yield from self.sew(self.detect(frames))

    def detect(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Cut: the tracklets of every key frame (section 3.1).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB pictures.

        Yields:
            For each frame the poses of the tracklets that were cut out around it, |C| rows a tracklet, in the order
            of frames; none where it is no key frame.
        """
        video = frames if isinstance(frames, Video) else open_video(frames)
        for segment in segments(video, self.window, self.config.batch):
            yield from self.cut(segment)

    def link(self, hypotheses: Poses | Iterable[Poses]) -> Poses:
        """Sew and polish (sections 3.2 and 3.3) what `detect` gave.

        Args:
            hypotheses: Of all frames of a video.

        Returns:
            The poses that `stream` gives.
        """
        parts = [hypotheses] if isinstance(hypotheses, Poses) else hypotheses
        frames = list(self.sew(part.frame(index) for part in parts for index in range(len(part))))
        return Poses.concatenate(frames)

    @property
    def context(self) -> int:
        """Frames before and after one that its tracklets may depend on."""
        return self.window - 1

    def depends_on(self) -> dict[str, object]:
        """The settings that tracklets depend on, in JSON's types."""
        names = ("frames", "step", "flip", "refine", "min_box_score", "precision")
        return {name: getattr(self.config, name) for name in names} | {"size": list(self.size)}

    def count(self, hypotheses: Poses) -> int:
        """How many people were cut out in a frame that `detect` gave."""
        return len(hypotheses.scores) // self.config.frames

    def sew(self, hypotheses: Iterable[Poses]) -> Iterator[Poses]:
        """Joins and merges the tracklets of frame after frame, as `detect` gives them."""
        config = self.config
        joiner = self.joiner()
        window = MovingMerge(config.frames, config.merging)
        for poses in hypotheses:
            tracklets = unpack(poses, config.frames)
            yield from window.update(poses, tracklets, joiner.update(tracklets))
        yield from window.finish()

    def cut(self, segment: Segment) -> Iterator[Poses]:
        """The tracklets of a segment's frames, as `detect` gives them."""
        frames = without_padding(segment)
        keys = key_frames(segment, self.config.step, self.config.frames // 2)
        boxes, scores, place = self.people(frames, keys)
        tracklets = self.tracklets(frames, boxes, scores, place)
        for index in segment.results:
            yield pack(frames[index], tracklets.select(place == index))

    def people(self, frames: Sequence[Frame], keys: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The detector's (M, 4) boxes and (M,) scores in the key frames, and the (M,) place of each one's frame."""
        found = [checked(*boxes) for boxes in self.detector(frames, keys)] if keys else []
        if len(found) != len(keys):
            raise ValueError(f"detector must give boxes for each of {len(keys)} key frames, got {len(found)}")
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, _ in found)])
        scores = np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in found)])
        place = np.repeat(np.array(keys, np.int64), [len(boxes) for boxes, _ in found])
        kept = scores >= (-np.inf if self.config.min_box_score is None else self.config.min_box_score)
        return boxes[kept], scores[kept], place[kept]

    @torch.inference_mode()
    def tracklets(self, frames: Sequence[Frame], boxes: np.ndarray, scores: np.ndarray, place: np.ndarray) -> Tracklets:
        """What the network sees in the tubes of M people, whose boxes lie in the frames at `place`."""
        length = self.config.frames
        clips = [clip_index(frames, int(key), length) for key in place]
        index = np.array([taken for taken, _ in clips], np.int64).reshape(-1, length)
        there = np.array([known for _, known in clips], bool).reshape(-1, length)
        keypoints = np.zeros((len(boxes), length, len(self.skeleton), 2), np.float32)
        joint_scores = np.zeros(keypoints.shape[:3], np.float32)
        if len(boxes):
            pictures = torch.from_numpy(np.stack([frame.image for frame in frames if frame.image is not None])).to(
                self.device
            )
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
                keypoints, joint_scores = estimate_tubes(
                    self.model,
                    pictures,
                    boxes,
                    index,
                    size=self.size,
                    skeleton=self.skeleton,
                    flip=self.config.flip,
                    refine=self.config.refine,
                )
        return Tracklets(
            keypoints=keypoints,
            joint_scores=np.where(there[..., None], joint_scores, 0),  # frames that are not there count for nothing
            first_frame=np.array([frames[key].index for key in place], np.int64) - length // 2,
            skeleton=self.skeleton,
            boxes=boxes,
            scores=scores,
        )
