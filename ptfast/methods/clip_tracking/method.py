"""Clip tracking: a person's poses in all frames around each detection, joined by OKS, merged by shortest paths.

Wang, Tighe, Modolo: Combining detection and tracking for human pose estimation in videos. CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from ptfast._check import check_shape
from ptfast.io import Frame, Video
from ptfast.methods.base import gathered, opened_video
from ptfast.methods.clip_tracking.clips import clip_index, key_frames
from ptfast.methods.clip_tracking.config import Config, merging_from
from ptfast.methods.clip_tracking.polish import Dropped, MovingMerge
from ptfast.models import PoseNetwork
from ptfast.pipeline.by_name import load_detector
from ptfast.pipeline.detectors import Detector, checked
from ptfast.pipeline.pose_networks import TubePoses
from ptfast.pipeline.records import FrameTracklets
from ptfast.pipeline.weights import load_pose_weights
from ptfast.pipeline.windows import Segment, frames_to_reread, segments, without_padding
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import OnlineJoiner


class ClipTracking:
    """The method with a pose network's weights and a person detector. It fulfils `ptfast.methods.base.Method`.

    Args:
        model: The clip tracking network (section 3.1), or a single-frame one, which then sees each frame by itself.
        detector: Finds people in key frames: `ptfast.pipeline.MaskRcnn`, such as the `detector` of a DetectAndTrack, or
            another detector of `ptfast.pipeline`; `each_image(function)` makes one of a function of one image.
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
        detector: Detector,
        *,
        size: tuple[int, int],
        skeleton: Skeleton = POSETRACK_15,
        config: Config | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.detector, self.config = detector, config or Config()
        how = self.config
        self.network = TubePoses(
            model, size, skeleton, flip=how.flip, refine=how.refine, precision=how.precision, device=device
        )
        # Frames that the pose network or the detector sees of a shot at a time.
        self.window = max(how.frames, getattr(detector, "frames", 1))
        thresholds = np.asarray(how.merging.joint_thresholds)
        if thresholds.ndim:
            check_shape("merging.joint_thresholds", thresholds, ("K",), K=len(skeleton))
        self.joiner()  # raises for settings that are out of range, before hours of work

    @classmethod
    def load(
        cls,
        weights: str | Path = "clip-tracking",
        *,
        detector: str | Path | Detector = "detect-and-track",
        size: tuple[int, int] | None = None,
        skeleton: Skeleton | None = None,
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> ClipTracking:
        """The method with weights of files, or those that come with ptfast, and the settings that suit them.

        Args:
            weights: "clip-tracking", "clip-tracking-2d"; the name of a published HRNet or PoseResNet, such as
                "hrnet-w32"; or a file as `ptfast.pipeline.weights.load_pose_weights` takes it.
            detector: Weights as `ptfast.pipeline.load_detector` takes them, or a detector.
            size: Height and width of the crops, instead of those that suit the weights.
            skeleton: The joints of another program's weights, where they are not COCO's.
            device: Where the networks run.
            **settings: Entries of Config that differ from the weights' own; `merging` may be a dictionary of those of
                its entries that differ.
        """
        loaded = load_pose_weights(weights, size=size, skeleton=skeleton)
        chosen = loaded.settings | settings
        merging = chosen.pop("merging", {})
        if isinstance(merging, dict):
            merging = merging_from(loaded.settings.get("merging", {}) | merging)
        if isinstance(detector, str | Path):
            detector = load_detector(detector, device=device)
        config = Config(**chosen, merging=merging)
        return cls(loaded.model, detector, size=loaded.size, skeleton=loaded.skeleton, config=config, device=device)

    @property
    def model(self) -> PoseNetwork:
        """The pose network."""
        return self.network.model

    @property
    def skeleton(self) -> Skeleton:
        """The pose network's joints."""
        return self.network.skeleton

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the crops that the pose network sees."""
        return self.network.size

    @property
    def device(self) -> torch.device:
        """The device that the pose network runs on."""
        return self.network.device

    def track(self, video: Video | str | Path | Iterable[np.ndarray]) -> Poses:
        """Poses with track ids of a whole video.

        Args:
            video: A video, a path to one or to a folder of images, or (H, W, 3) uint8 RGB images.
        """
        return gathered(self.stream, video)

    def stream(self, frames: Video | Iterable[np.ndarray]) -> Iterator[Poses]:
        """Poses with track ids in constant memory; they come some dozens of frames after their images.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.

        Yields:
            Poses of one frame each.
        """
        yield from self.sew(self.detect(frames))

    def detect(
        self, frames: Video | Iterable[np.ndarray], before: Sequence[FrameTracklets] = ()
    ) -> Iterator[FrameTracklets]:
        """Cut: the tracklets of every key frame (section 3.1).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: Known tracklets of the first len(before) frames, which are not given again.

        Yields:
            For each frame the tracklets that were cut out around it, none where it is no key frame.
        """
        return islice(self._detect(opened_video(frames)), len(before), None)

    def _detect(self, video: Video) -> Iterator[FrameTracklets]:
        for segment in segments(video, self.window, self.config.batch):
            yield from self.cut(segment)

    def link(self, records: FrameTracklets | Iterable[FrameTracklets], dropped: Dropped | None = None) -> Poses:
        """Sew and polish (sections 3.2 and 3.3) what `detect` gave.

        Args:
            records: Tracklets of all frames of a video.
            dropped: Where poses and joints that are dropped are counted.

        Returns:
            The poses that `stream` gives.
        """
        parts = [records] if isinstance(records, FrameTracklets) else records
        frames = list(self.sew((part.frame(index) for part in parts for index in range(len(part))), dropped))
        return Poses.concatenate(frames)

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames to read again so that the clips go through the networks in the same batches."""
        return frames_to_reread(sizes, self.window, self.config.batch)

    def depends_on(self) -> dict[str, object]:
        """The settings that tracklets depend on, in JSON's types."""
        names = ("frames", "step", "flip", "refine", "min_box_score", "precision")
        return {name: getattr(self.config, name) for name in names} | {"size": list(self.size)}

    def count(self, record: FrameTracklets) -> int:
        """Number of people who were cut out in a frame that `detect` gave."""
        return len(record.tracklets)

    def joiner(self) -> OnlineJoiner:
        """Joins tracklets (section 3.2)."""
        return OnlineJoiner(min_similarity=self.config.min_similarity, sigma_scale=self.config.sigma_scale)

    def sew(self, records: Iterable[FrameTracklets], dropped: Dropped | None = None) -> Iterator[Poses]:
        """Joins and merges the tracklets of frame after frame, as `detect` gives them; counts what is dropped."""
        joiner, frames = self.joiner(), self.config.frames
        window = MovingMerge(frames, self.config.merging, dropped)
        for record in records:
            if (length := record.tracklets.keypoints.shape[1]) != frames:
                raise ValueError(f"records must hold tracklets of {frames} frames, got {length}")
            yield from window.update(record, joiner.update(record.tracklets))
        yield from window.finish()

    def cut(self, segment: Segment) -> Iterator[FrameTracklets]:
        """The tracklets of a segment's frames, as `detect` gives them."""
        frames = without_padding(segment)
        keys = key_frames(segment, self.config.step, self.config.frames // 2)
        boxes, scores, place = self.boxes(frames, keys)
        empty = (boxes[:, 2:] <= boxes[:, :2]).any(1)  # nobody can be in them
        low = ~empty & (scores < (-np.inf if self.config.min_box_score is None else self.config.min_box_score))
        kept = ~(empty | low)
        tracklets = self.tracklets(frames, boxes[kept], scores[kept], place[kept])
        for index in segment.results:
            here, of_frame = place == index, tracklets.select(place[kept] == index)
            yield FrameTracklets.of_frame(frames[index], of_frame, (low & here).sum(), (empty & here).sum())

    def boxes(self, frames: Sequence[Frame], keys: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The detector's (M, 4) boxes and (M,) scores in the key frames, and the (M,) position of each one's frame."""
        found = [checked(*boxes) for boxes in self.detector(frames, keys)] if keys else []
        if len(found) != len(keys):
            raise ValueError(f"detector must give boxes for each of {len(keys)} key frames, got {len(found)}")
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *(boxes for boxes, _ in found)])
        scores = np.concatenate([np.zeros(0, np.float32), *(scores for _, scores in found)])
        return boxes, scores, np.repeat(np.array(keys, np.int64), [len(boxes) for boxes, _ in found])

    def tracklets(self, frames: Sequence[Frame], boxes: np.ndarray, scores: np.ndarray, place: np.ndarray) -> Tracklets:
        """Tracklets of M people, whose boxes lie in the frames at the positions `place` (M,)."""
        length = self.config.frames
        clips = [clip_index(frames, int(key), length) for key in place]
        index = np.array([taken for taken, _ in clips], np.int64).reshape(-1, length)
        there = np.array([known for _, known in clips], bool).reshape(-1, length)
        keypoints, joint_scores = self.network(frames, boxes, index)
        return Tracklets(
            keypoints=keypoints,
            joint_scores=np.where(there[..., None], joint_scores, 0),  # frames that are not there count for nothing
            first_frame=np.array([frames[key].index for key in place], np.int64) - length // 2,
            skeleton=self.skeleton,
            boxes=boxes,
            scores=scores,
        )
