"""Detect-and-Track: people's tubes and joints by a 3D Mask R-CNN over short clips, then bipartite matching.

Girdhar, Gkioxari, Torresani, Paluri, Tran: Detect-and-Track: Efficient Pose Estimation in Videos. CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ptfast.io import Frame, Video
from ptfast.methods.base import gathered, opened_video
from ptfast.methods.detect_and_track.config import Config
from ptfast.methods.detect_and_track.matching import MatcherAssociation, load_matcher
from ptfast.models import MaskRcnn3d
from ptfast.pipeline.mask_rcnn import MaskRcnn, with_limits
from ptfast.pipeline.weights import load_mask_rcnn_weights
from ptfast.pipeline.windows import frames_to_reread, segments
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.tracking import Cost, OnlineLinker, TrackLinker, link, link_tracks, weighted_cost


class DetectAndTrack:
    """The method with a network's weights. It fulfils `ptfast.methods.base.Method`.

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
        self.config = config or Config()
        self.detector = MaskRcnn(model, skeleton, self.config, device)

    @classmethod
    def load(
        cls,
        weights: str | Path = "detect-and-track",
        *,
        skeleton: Skeleton | None = None,
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> DetectAndTrack:
        """The method with weights of a file, or those that come with ptfast, and the settings that suit them.

        Args:
            weights: "detect-and-track"; the name of a published network, "keypointrcnn"; or a file as
                `ptfast.pipeline.weights.load_mask_rcnn_weights` takes it, Detectron's or the paper's own for instance.
            skeleton: The joints of another program's weights, where they are not COCO's.
            device: Where the network runs.
            **settings: Entries of Config that differ from the weights' own.
        """
        loaded = load_mask_rcnn_weights(weights, skeleton=skeleton)
        return cls(loaded.model, loaded.skeleton, Config(**with_limits(loaded.settings | settings)), device)

    @property
    def model(self) -> MaskRcnn3d:
        """The network."""
        return self.detector.model

    @property
    def skeleton(self) -> Skeleton:
        """The network's joints."""
        return self.detector.skeleton

    @property
    def device(self) -> torch.device:
        """The device that the network runs on."""
        return self.detector.device

    def track(self, video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
        """Poses with track ids of a whole video.

        Args:
            video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB images.
        """
        return gathered(self.stream, video)

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Poses with track ids, frame by frame, in constant memory.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.

        Yields:
            Poses of one frame each. A frame that could not be decoded has none, and the tracks go on after it.
        """
        linker = self.linker()
        for detections in self.detect(frames):
            yield self.finish(linker.update(self.large(detections)))

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[Poses] = ()) -> Iterator[Poses]:
        """Stage 1: spatiotemporal pose estimation over clips (section 3.1).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: Known detections of the first len(before) frames, which are not given again.

        Yields:
            Poses of one frame each, without track ids. Joint scores are logits. Where the settings weigh crops, they
            have features["appearance"], for which every frame's crops go through the backbone a second time.
        """
        return islice(self._detect(opened_video(frames)), len(before), None)

    def _detect(self, video: Video) -> Iterator[Poses]:
        for segment in segments(video, self.config.frames, self.config.batch):
            for frame, detections in self.detector.poses(segment):
                yield self.with_appearance(frame, detections) if self.config.sees_crops else detections

    def link(self, records: Poses | Iterable[Poses]) -> Poses:
        """Stage 2: bipartite matching of each frame's detections with those of the frame before (section 3.1).

        Args:
            records: Detections of all frames of a video, as `detect` gives them.

        Returns:
            The poses that `stream` gives.

        Raises:
            ValueError: The settings weigh the features of crops, and the detections have none.
        """
        detections = records if isinstance(records, Poses) else Poses.concatenate(list(records))
        large, settings = self.large(detections), self.matching()
        if self.config.cost == "lstm":
            return self.finish(link_tracks(large, MatcherAssociation(load_matcher()), **settings))
        return self.finish(link(large, cost=self.cost(), motion="none", **settings))

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames to read again so that the clips go through the network in the same batches."""
        return frames_to_reread(sizes, self.config.frames, self.config.batch)

    def depends_on(self) -> dict[str, object]:
        """The settings that detections depend on, in JSON's types."""
        return self.detector.depends_on() | {"sees_crops": self.config.sees_crops}

    def count(self, record: Poses) -> int:
        """Number of people that there seem to be in a frame that `detect` gave."""
        return int((record.scores >= self.config.min_score).sum())

    def linker(self) -> OnlineLinker | TrackLinker:
        """Stage 2 frame by frame."""
        if self.config.cost == "lstm":
            return TrackLinker(MatcherAssociation(load_matcher()), **self.matching())
        return OnlineLinker(cost=self.cost(), motion="none", **self.matching())

    def cost(self) -> Cost:
        """The costs of section 3.1, "Likelihood metrics"."""
        if self.config.cost_weights is None:
            return self.config.cost  # type: ignore[return-value]
        return weighted_cost(*self.config.cost_weights)

    def matching(self) -> dict[str, Any]:
        """The settings that say which detections are matched, how, and how far back."""
        names = ("matcher", "lookback", "max_cost", "min_score", "min_joint_score")
        return {name: getattr(self.config, name) for name in names}

    def with_appearance(self, frame: Frame, detections: Poses) -> Poses:
        """A frame's detections with the features (N, C) of their crops, zeros for boxes too small to be linked."""
        large = self.is_large(detections)
        seen = self.detector.appearance(frame, detections.boxes[large]).cpu().numpy()
        features = np.zeros((len(large), seen.shape[1]), np.float32)
        features[large] = seen
        return replace(detections, features={"appearance": features})

    def large(self, detections: Poses) -> Poses:
        """The detections whose boxes are large enough."""
        return detections.select(self.is_large(detections))

    def is_large(self, detections: Poses) -> np.ndarray:
        """(N,) True where a detection's box is large enough."""
        return (detections.boxes[:, 2:] - detections.boxes[:, :2]).prod(1) >= self.config.min_area

    def finish(self, poses: Poses) -> Poses:
        """The tracks with joint scores as the settings want them, and without the features of crops."""
        poses = replace(poses, features={name: poses.features[name] for name in poses.features if name != "appearance"})
        if self.config.joint_score == "logit":
            return poses
        scores = np.where(poses.joint_visibility > 0, poses.scores[:, None], np.float32(0))
        return replace(poses, joint_scores=scores)
