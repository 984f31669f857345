"""KeyTrack: a pose network in boxes of a detector and of the frame before, then matching by a network of joints alone.

Snower, Kadav, Lai, Graf: 15 Keypoints Is All You Need. CVPR 2020.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ptfast.io import Frame, Video
from ptfast.methods.base import gathered, opened_video
from ptfast.methods.keytrack.config import Config
from ptfast.methods.keytrack.record import is_tracked, looked_for, people, rescored, without_joints
from ptfast.pipeline.by_name import load_detector, load_person_poses
from ptfast.pipeline.detected_frames import detected_frames, detected_to_reread
from ptfast.pipeline.detectors import Boxes, Detector, settings_of
from ptfast.pipeline.entailment import load_match_scorer
from ptfast.pipeline.people import as_frame, is_seen, nobody
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.pipeline.top_down import in_boxes
from ptfast.pipeline.weights import thresholds_in_boxes
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses
from ptfast.tracking import ConfirmedLinker, EntailmentLinker, MatchScorer, drop_tentative, temporal_oks

LINKING = ("lookback", "neighbours", "matcher", "min_match_score", "max_speed", "sure_margin", "min_new_score")
"""Settings that records do not depend on."""


class KeyTrack:
    """The method with a detector, a pose network and a network that matches poses. It fulfils `methods.base.Method`.

    Args:
        detector: Finds people: a detector of `ptfast.pipeline`, or `each_image(function)`.
        person_poses: Finds their joints: a pose network of `ptfast.pipeline`, an HRNet-W48 in the paper.
        scorer: Scores pairs of poses: a `ptfast.models.PoseEntailment`. One of other joints is given the poses in its
            own.
        skeleton: The pose network's joints.
        config: Settings.

    Example:
        >>> method = KeyTrack.load()
        >>> poses = method.track("video.mp4")
    """

    def __init__(
        self,
        detector: Detector,
        person_poses: PersonPoses,
        scorer: MatchScorer,
        skeleton: Skeleton = COCO_17,
        config: Config | None = None,
    ) -> None:
        self.detector, self.person_poses, self.scorer = detector, person_poses, scorer
        self.skeleton, self.config = skeleton, config or Config()

    @classmethod
    def load(
        cls,
        weights: str | Path = "movenet-thunder",
        *,
        detector: str | Path | Detector = "nanodet-g",
        entailment: str | Path | MatchScorer = "keytrack",
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> KeyTrack:
        """The method with networks by name or file, and the settings that suit them.

        Args:
            weights: The pose network's, as `ptfast.pipeline.load_person_poses` takes them.
            detector: Weights as `ptfast.pipeline.load_detector` takes them, or a detector.
            entailment: Weights as `ptfast.pipeline.load_match_scorer` takes them, or what scores pairs of poses.
            device: Where the networks run.
            **settings: Entries of Config that differ from what suits the networks, for which
                `ptfast.pipeline.weights.thresholds_in_boxes` speaks.
        """
        person_poses = load_person_poses(weights, device=device)
        if isinstance(detector, str | Path):
            detector = load_detector(detector, device=device)
        if isinstance(entailment, str | Path):
            entailment = load_match_scorer(entailment, device=device)
        return cls(
            detector,
            person_poses,
            entailment,
            person_poses.skeleton,
            Config(**(thresholds_in_boxes(weights) | settings)),
        )

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
            Poses of one frame each. A frame that could not be decoded has none, and the tracks go on after it; they end
            where the frames' size changes.
        """
        return map(self.linker().update, self.detect(frames))

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[Poses] = ()) -> Iterator[Poses]:
        """Stage 1: poses in detected boxes and in those of the frame before (section 3.3).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: Known records of the first len(before) frames, which are not given again.

        Yields:
            Poses of one frame each, without track ids. features["undetected"] (N,) int64 has the frames since the
            detector saw the person, 0 for this one, features["box_score"] (N,) float32 the score of the box. Boxes
            whose scores were too low have no joints.
        """
        earlier = without_joints(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), self.skeleton)
        found = detected_frames(opened_video(frames), self.detector, self.config.batch)
        for number, (frame, boxes) in enumerate(found):
            record = before[number] if number < len(before) else self.estimate(earlier, frame, boxes)
            if frame.image is not None:
                earlier = record
            if number >= len(before):
                yield record

    def estimate(self, earlier: Poses, frame: Frame, boxes: Boxes) -> Poses:
        """The record of a frame.

        Args:
            earlier: The record of the last frame that was decoded.
            frame: The frame.
            boxes: The detector's.
        """
        config, (corners, scores) = self.config, boxes
        low = scores < (-np.inf if config.min_box_score is None else config.min_box_score)
        looked, again = looked_for(earlier, frame, config)
        undetected = np.append(np.zeros(len(scores) - low.sum(), np.int64), looked.features["undetected"] + 1)
        box_scores = np.append(scores[~low], looked.features["box_score"] * np.float32(config.propagated_score))
        found = nobody(len(self.skeleton))
        if len(undetected):
            found = in_boxes(self.person_poses, [frame], [(np.concatenate([corners[~low], again]), box_scores)])[0]
        everyone = people(found, self.skeleton, undetected, box_scores)
        poses, of = temporal_oks(
            everyone.select(undetected == 0),
            looked,
            everyone.select(undetected > 0),
            min_oks=config.min_oks,
            max_oks=config.max_oks,
            min_joint_score=config.min_joint_score,
        )
        ignored = without_joints(corners[low], scores[low], self.skeleton)
        seen = is_seen(of >= 0, poses.joint_scores, config.min_propagated_score)
        return as_frame([rescored(poses, of, scores[~low]).select(seen), ignored], frame)

    def link(self, records: Poses | Iterable[Poses]) -> Poses:
        """Stage 2: ids by match scores (sections 3.1 and 3.2).

        Args:
            records: What `detect` gave of all frames of a video.

        Returns:
            The poses that `stream` gives.
        """
        poses = records if isinstance(records, Poses) else Poses.concatenate(list(records))
        return drop_tentative(self.entailment_linker().link(poses), self.config.min_new_score)

    def linker(self) -> ConfirmedLinker:
        """Stage 2 frame by frame."""
        return ConfirmedLinker(self.entailment_linker(), self.config.min_new_score)

    def entailment_linker(self) -> EntailmentLinker:
        """What gives ids, before tentative tracks are left out; it counts pairs, too."""
        config = self.config
        return EntailmentLinker(
            self.scorer,
            lookback=config.lookback,
            neighbours=config.neighbours,
            matcher=config.matcher,
            min_match_score=config.min_match_score,
            max_speed=config.max_speed,
            sure_margin=config.sure_margin,
            min_score=config.min_score,
            min_joint_score=config.min_joint_score,
        )

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames to read again: those of the detector's batches, and the last one that was decoded."""
        return detected_to_reread(sizes, self.detector, self.config.batch, decoded=1)

    def depends_on(self) -> dict[str, object]:
        """The settings that records depend on, in JSON's types."""
        parts = {name: settings_of(getattr(self, name)) for name in ("detector", "person_poses")}
        return parts | {name: value for name, value in asdict(self.config).items() if name not in LINKING}

    def count(self, record: Poses) -> int:
        """Number of people that are tracked in a frame."""
        return int(is_tracked(record, self.config).sum())
