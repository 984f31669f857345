"""Simple Baselines: a pose network in boxes of a detector and of optical flow, then matching by carried poses.

Xiao, Wu, Wei: Simple Baselines for Human Pose Estimation and Tracking. ECCV 2018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from ptfast.io import Frame, Video
from ptfast.methods.base import gathered, opened_video
from ptfast.methods.simple_baselines.boxes import Candidates, unified, without_doubles, without_lost
from ptfast.methods.simple_baselines.config import Config
from ptfast.methods.simple_baselines.propagation import carried, flow_boxes
from ptfast.methods.simple_baselines.queue import Past, Seen, is_own, is_tracked, own_poses, without_joints
from ptfast.methods.simple_baselines.similarity import QueueLinker
from ptfast.pipeline.by_name import load_detector, load_person_poses
from ptfast.pipeline.detected_frames import detected_frames, detected_to_reread
from ptfast.pipeline.detectors import Boxes, Detector, settings_of
from ptfast.pipeline.flow import PointFlow, load_point_flow
from ptfast.pipeline.people import as_frame, nobody
from ptfast.pipeline.person_poses import PersonPoses
from ptfast.pipeline.top_down import in_boxes
from ptfast.pipeline.weights import thresholds_in_boxes
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses
from ptfast.tracking import ConfirmedLinker

LINKING = ("matcher", "max_cost", "sigma_scale", "min_new_score")  # settings that records do not depend on


class SimpleBaselines:
    """The method with a detector, a pose network and a flow. It fulfils `ptfast.methods.base.Method`.

    Args:
        detector: Finds people, N_det: a detector of `ptfast.pipeline`, or `each_image(function)`.
        person_poses: Finds their joints, N_pose: `TubePoses` with a PoseResnet in the paper, or another pose network of
            `ptfast.pipeline`.
        flow: Finds joints of a frame in the next one, N_flow: `ptfast.pipeline.flow.DenseFlow` of a flow field, or
            `SparseFlow`, or what does the same. None is for settings that need no flow.
        skeleton: The pose network's joints.
        config: Settings.

    Raises:
        ValueError: There is no flow, and the settings need one.

    Example:
        >>> method = SimpleBaselines.load()
        >>> poses = method.track("video.mp4")
    """

    def __init__(
        self,
        detector: Detector,
        person_poses: PersonPoses,
        flow: PointFlow | None,
        skeleton: Skeleton = COCO_17,
        config: Config | None = None,
    ) -> None:
        self.detector, self.person_poses = detector, person_poses
        self.skeleton, self.config = skeleton, config or Config()
        self.flow = flow if self.config.needs_flow else None
        if flow is None and self.config.needs_flow:
            needs = f"propagate {self.config.propagate} and similarity {self.config.similarity!r}"
            raise ValueError(f"flow must be given for {needs}, got None")

    @classmethod
    def load(
        cls,
        weights: str | Path = "movenet-thunder",
        *,
        detector: str | Path | Detector = "nanodet-g",
        flow: str | Path | PointFlow = "sparse",
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> SimpleBaselines:
        """The method with networks by name or file, and the settings that suit them.

        Args:
            weights: The pose network's, as `ptfast.pipeline.load_person_poses` takes them.
            detector: Weights as `ptfast.pipeline.load_detector` takes them, or a detector.
            flow: A name or file as `ptfast.pipeline.flow.load_point_flow` takes it, or what finds points of one frame
                in another. The cost of "sparse" grows with people and L_Q, that of a field, as "dis", with pixels.
            device: Where the networks run.
            **settings: Entries of Config that differ from what suits the networks, for which
                `ptfast.pipeline.weights.thresholds_in_boxes` speaks.
        """
        person_poses = load_person_poses(weights, device=device)
        if isinstance(detector, str | Path):
            detector = load_detector(detector, device=device)
        config = Config(**(thresholds_in_boxes(weights) | settings))
        if isinstance(flow, str | Path):
            flow = load_point_flow(flow, device=device)
        return cls(detector, person_poses, flow, person_poses.skeleton, config)

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
            at a cut and where the frames' size changes.
        """
        return map(self.linker().update, self.detect(frames))

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[Poses] = ()) -> Iterator[Poses]:
        """Stage 1: pose estimation in detected and propagated boxes (algorithm 1, lines 7 to 10).

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: Known records of the first len(before) frames, which are not given again.

        Yields:
            Poses of one frame each, without track ids. Those with features["frames_ago"] above 0 are Q's: poses of
            frames before, where they would be in this one. Boxes whose scores were too low have no joints.
        """
        past = Past(self.config)
        for number, (frame, boxes) in enumerate(
            detected_frames(opened_video(frames), self.detector, self.config.batch)
        ):
            seen = self._seen(frame)
            record = before[number] if number < len(before) else self.estimate(past, frame, seen, boxes)
            if seen is not None:
                past.append(seen, record)
            if number >= len(before):
                yield record

    def estimate(self, past: Past, frame: Frame, seen: Seen | None, boxes: Boxes) -> Poses:
        """The record of a frame.

        Args:
            past: The frames before with their records.
            frame: The frame.
            seen: It, prepared for the flow; None where it is lost.
            boxes: The detector's.
        """
        detected, low = self._split(boxes)
        queue, moved = self._queue(past, seen)
        propagated = [flow_boxes(poses, frame.size, self.config) for poses in moved[:1] if self.config.propagate]
        candidates = unified([detected, *propagated], self.config.max_overlap)
        found = nobody(len(self.skeleton))
        if len(candidates.scores):
            found = in_boxes(self.person_poses, [frame], [(candidates.boxes, candidates.scores)])[0]
        there = without_lost(found, candidates, self.config.min_propagated_score)
        kept = without_doubles(*there, self.skeleton, self.config.max_oks)
        return as_frame([own_poses(*kept, self.skeleton, self.config), low, *queue], frame)

    def link(self, records: Poses | Iterable[Poses]) -> Poses:
        """Stage 2: ids by matching with the poses of Q (algorithm 1, lines 11 to 13).

        Args:
            records: What `detect` gave of all frames of a video.

        Returns:
            The poses that `stream` gives.
        """
        linker = self.linker()
        parts = [records] if isinstance(records, Poses) else records
        return Poses.concatenate([linker.update(record) for part in parts for record in part])

    def linker(self) -> ConfirmedLinker:
        """Stage 2 frame by frame."""
        return ConfirmedLinker(QueueLinker(self.config), self.config.min_new_score)

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames to read again: those that Q is carried from, and those of the detector's batches."""
        wanted = 1 if self.config.chained else self.config.lookback
        return detected_to_reread(sizes, self.detector, self.config.batch, wanted)

    def depends_on(self) -> dict[str, object]:
        """The settings that records depend on, in JSON's types."""
        parts = {name: settings_of(getattr(self, name)) for name in ("detector", "person_poses", "flow")}
        return parts | {name: value for name, value in asdict(self.config).items() if name not in LINKING}

    def count(self, record: Poses) -> int:
        """Number of people that are tracked in a frame."""
        return int((is_own(record) & is_tracked(record)).sum())

    def _split(self, boxes: Boxes) -> tuple[Candidates, Poses]:
        """B_det, and the boxes whose scores are too low for it."""
        corners, scores = boxes
        low = scores < (-np.inf if self.config.min_box_score is None else self.config.min_box_score)
        detected = Candidates(corners[~low], scores[~low], np.zeros((~low).sum(), np.int64))
        return detected, without_joints(corners[low], scores[low], self.skeleton)

    def _seen(self, frame: Frame) -> Seen | None:
        """The frame, prepared for the flow if there is one; None where it is lost."""
        if frame.image is None:
            return None
        image = np.ascontiguousarray(frame.image)
        return Seen(image, None if self.flow is None else self.flow.prepare(image))

    def _queue(self, past: Past, seen: Seen | None) -> tuple[list[Poses], list[Poses]]:
        """Q as the frame's poses are compared with it, and Q where flow carries it; both are empty after a cut."""
        standing = [] if seen is None else past.queue(seen)
        if seen is None or self.flow is None:
            return [poses for _, poses in standing], []
        moved = [carried(self.flow, before, seen, poses, self.config) for before, poses in standing]
        if self.config.compares_carried:
            return moved, moved
        return [poses for (_, poses), there in zip(standing, moved, strict=True) if len(there.scores)], moved
