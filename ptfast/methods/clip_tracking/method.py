"""Clip tracking: a person's poses in all frames around each detection, joined by OKS, merged by shortest paths.

Wang, Tighe, Modolo: Combining detection and tracking for human pose estimation in videos. CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ptfast._check import check_shape
from ptfast.io import Frame, Video
from ptfast.methods.base import gathered, opened_video
from ptfast.methods.clip_tracking.clips import clip_index, key_frames
from ptfast.methods.clip_tracking.config import Config
from ptfast.methods.clip_tracking.loading import config_for, default_detector
from ptfast.methods.clip_tracking.polish import Dropped, MovingMerge
from ptfast.pipeline.by_name import TUBE_SETTINGS, load_detector, load_person_poses
from ptfast.pipeline.detectors import Detector, checked, settings_of
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.pipeline.records import FrameTracklets
from ptfast.pipeline.windows import Segment, frames_to_reread, segments, without_padding
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses, Tracklets
from ptfast.tracking import OnlineJoiner


class ClipTracking:
    """The method with a pose network and a person detector. It fulfils `ptfast.methods.base.Method`.

    Args:
        network: Finds people's joints in the frames of their tubes: a `ptfast.pipeline.TubePoses` of the clip tracking
            network (section 3.1) or a single-frame one, a `SinglePose`, or another of `ptfast.pipeline.PersonPoses`. A
            single-frame network sees each frame by itself.
        detector: Finds people in key frames: `ptfast.pipeline.MaskRcnn`, such as the `detector` of a DetectAndTrack, or
            another detector of `ptfast.pipeline`; `each_image` and `each_batch` make one of a function of images.
        skeleton: The network's joints.
        config: Settings.

    Raises:
        ValueError: The network has other joints than the skeleton, or a setting is out of range.
    """

    def __init__(
        self,
        network: PersonPoses,
        detector: Detector,
        *,
        skeleton: Skeleton = POSETRACK_15,
        config: Config | None = None,
    ) -> None:
        self.network, self.detector, self.skeleton, self.config = network, detector, skeleton, config or Config()
        own = getattr(network, "skeleton", skeleton)
        if own != skeleton:
            raise ValueError(f"skeleton must be the network's, {own.name}, got {skeleton.name}")
        # Frames that the pose network or the detector sees of a shot at a time.
        self.window = max(self.config.frames, getattr(detector, "frames", 1))
        thresholds = np.asarray(self.config.merging.joint_thresholds)
        if thresholds.ndim:
            check_shape("merging.joint_thresholds", thresholds, ("K",), K=len(skeleton))
        self.joiner()  # raises for settings that are out of range, before hours of work

    @classmethod
    def load(
        cls,
        weights: str | Path = "clip-tracking",
        *,
        detector: str | Path | Detector | None = None,
        size: tuple[int, int] | None = None,
        skeleton: Skeleton | None = None,
        device: str | torch.device = "cpu",
        **settings: Any,
    ) -> ClipTracking:
        """The method with networks by name or file, and the settings that suit them.

        Args:
            weights: The pose network's, as `ptfast.pipeline.load_person_poses` takes them: "clip-tracking",
                "clip-tracking-2d", "movenet-thunder", "hrnet-w32", or a file.
            detector: Weights as `ptfast.pipeline.load_detector` takes them, or a detector. By default "nanodet-g", but
                "detect-and-track" for "clip-tracking" and "clip-tracking-2d", which have seen synthetic people, too.
            size: Height and width of the crops, instead of those that suit the weights.
            skeleton: The joints of another program's weights, where they are not COCO's.
            device: Where the networks run.
            **settings: Entries of Config that differ from the weights' own, where `merging` may be a dictionary of
                those of its entries that differ; and `flip`, `refine` and `precision` of `ptfast.pipeline.TubePoses`.

        Raises:
            FileNotFoundError: There is neither such a file nor such a name.
            ValueError: A file is damaged or of another kind, or a setting is out of range or not the network's.
        """
        own = {name: settings.pop(name) for name in TUBE_SETTINGS if name in settings}
        network = load_person_poses(weights, size=size, skeleton=skeleton, device=device, **own)
        finder = default_detector(weights) if detector is None else detector
        config = config_for(weights, finder, settings)
        if isinstance(finder, str | Path):
            finder = load_detector(finder, device=device)
        return cls(network, finder, skeleton=network.skeleton, config=config)

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
        own = {name: getattr(self.config, name) for name in ("frames", "step", "min_box_score")}
        return own | {"network": settings_of(self.network), "detector": settings_of(self.detector)}

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
        keypoints, joint_scores = self.joints(frames, boxes, index)
        return Tracklets(
            keypoints=keypoints,
            joint_scores=np.where(there[..., None], joint_scores, 0),  # frames that are not there count for nothing
            first_frame=np.array([frames[key].index for key in place], np.int64) - length // 2,
            skeleton=self.skeleton,
            boxes=boxes,
            scores=scores,
        )

    def joints(self, frames: Sequence[Frame], boxes: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(M, T, K, 2) keypoints and (M, T, K) scores of people with boxes (M, 4) in the frames at `index` (M, T)."""
        if len(boxes):
            return self.network(frames, boxes, index)
        shape = (*index.shape, len(self.skeleton))  # the frames may be undecoded then
        return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)
