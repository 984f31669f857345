"""A one-shot pose estimator on every frame, then links between frames: no clips, no person detector."""

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
from ptfast.methods.online.config import Config
from ptfast.methods.online.estimators import Quality, load_estimator, parts_of
from ptfast.pipeline import OneShot
from ptfast.pipeline.detectors import settings_of
from ptfast.pipeline.windows import Segment, frames_to_reread, segments
from ptfast.skeletons import COCO_17, Skeleton
from ptfast.structures import Poses
from ptfast.tracking import ConfirmedLinker, OnlineLinker, drop_tentative, link


class Online:
    """An estimator and the linking of what it finds. It fulfils `ptfast.methods.base.Method`.

    Args:
        estimate: Finds the poses of all people in images: a `MultiPose`, `OnnxOneShot`, `TopDown` or `Fused`, or a
            function of the caller's own, which is given decoded images of one size.
        skeleton: Its joints.
        config: Settings.

    Example:
        >>> method = Online.load(quality="full")
        >>> poses = method.track("video.mp4")
    """

    def __init__(self, estimate: OneShot, skeleton: Skeleton = COCO_17, config: Config | None = None) -> None:
        self.estimate, self.skeleton, self.config = estimate, skeleton, config or Config()

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        *,
        quality: Quality | None = None,
        detector: str | Path | None = None,
        pose: str | Path | None = None,
        device: str | torch.device = "cpu",
        **settings: object,
    ) -> Online:
        """The method with networks by name or file: those that come with ptfast have seen real people.

        Args:
            weights: As `ptfast.pipeline.load_one_shot` takes it, "movenet-multipose" by default. The settings of
                MultiPose are not for another network in an ONNX file.
            quality: "fast", that network alone, or "full", with a second look at everyone whom it or a detector finds.
                None is "fast", or, where a detector or a pose network is named, these two alone.
            detector: As `ptfast.pipeline.load_detector` takes it, "nanodet-g" by default.
            pose: As `ptfast.pipeline.load_person_poses` takes it, "movenet-thunder" by default.
            device: Where the networks run.
            **settings: Entries of Config that differ from what suits the networks.

        Raises:
            FileNotFoundError: There is neither such a file nor such a name.
            ValueError: A file is damaged or of another kind, a setting is out of range, or the quality has no network
                that is named.
        """
        estimate, config = load_estimator(parts_of(quality, weights, detector, pose), settings, device)
        return cls(estimate, estimate.skeleton, config)

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
        return map(self.linker().update, self.detect(frames))

    def detect(self, frames: Video | Iterable[np.ndarray], before: Sequence[Poses] = ()) -> Iterator[Poses]:
        """Stage 1: the people in every frame.

        Args:
            frames: A video, or (H, W, 3) uint8 RGB images.
            before: Known people of the first len(before) frames, which are not given again.

        Yields:
            Poses of one frame each, without track ids, those under the thresholds of linking among them.

        Raises:
            ValueError: The estimator gives another number of frames or another skeleton.
        """
        batches = segments(opened_video(frames), 1, self.config.batch)
        return islice((poses for batch in batches for poses in self._estimated(batch)), len(before), None)

    def link(self, records: Poses | Iterable[Poses]) -> Poses:
        """Stage 2: track ids for the people of a whole video.

        Args:
            records: People of all frames of a video, as `detect` gives them.

        Returns:
            The poses that `stream` gives.
        """
        poses = records if isinstance(records, Poses) else Poses.concatenate(list(records))
        return drop_tentative(link(poses, **self.thresholds()), self.config.min_new_score)

    def linker(self) -> ConfirmedLinker:
        """Links what `detect` gives frame by frame, as `link` does all of it."""
        return ConfirmedLinker(OnlineLinker(**self.thresholds()), self.config.min_new_score)

    def thresholds(self) -> dict[str, Any]:
        """What is dropped before linking; the rest of its settings are `ptfast.link`'s defaults."""
        return {"min_score": self.config.min_score, "min_joint_score": self.config.min_joint_score}

    def frames_to_reread(self, sizes: np.ndarray) -> int:
        """Number of frames to read again so that they go through the network in the same batches."""
        return frames_to_reread(sizes, 1, self.config.batch)

    def depends_on(self) -> dict[str, object]:
        """The settings that people depend on, in JSON's types; of a function of the caller's own none are known."""
        own = settings_of(self.estimate)
        return (own if isinstance(own, dict) else {}) | {"batch": self.config.batch}

    def count(self, record: Poses) -> int:
        """Number of people that there seem to be in a frame that `detect` gave."""
        least = self.config.min_score
        return len(record.scores) if least is None else int((record.scores >= least).sum())

    def _estimated(self, batch: Segment) -> Iterator[Poses]:
        """The people of each frame of a batch."""
        images = [frame.image for frame in batch.frames]
        poses = self._nobody() if images[0] is None else self.estimate(images)
        if len(poses) != len(images) or poses.skeleton != self.skeleton:
            expected = f"{len(images)} frames of skeleton {self.skeleton.name}"
            raise ValueError(f"estimate must give {expected}, got {len(poses)} of {poses.skeleton.name}")
        return map(_named, poses, batch.frames)

    def _nobody(self) -> Poses:
        return Poses.from_frames([[]], skeleton=self.skeleton)


def _named(poses: Poses, frame: Frame) -> Poses:
    """The poses of a frame under its name and number."""
    return replace(
        poses, frame_names=(frame.name,), frame_ids=np.array([frame.index]), frame_size=np.array([frame.size])
    )
