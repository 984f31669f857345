"""Poses: all poses of one sequence, frame after frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ptfast._check import Array, check_dtype, check_shape, is_tensor
from ptfast._columns import (
    cast_column,
    checked_features,
    join_columns,
    join_features,
    kept_rows,
    offsets_of,
    on_host,
)
from ptfast.skeletons import Skeleton
from ptfast.structures._head_joints import add_head_joints
from ptfast.structures._html import drawing, page
from ptfast.structures._per_frame import columns_of_frames
from ptfast.structures._pose_columns import (
    FRAME_COLUMNS,
    JOINT_COLUMNS,
    JOINT_SCORED,
    POSE_COLUMNS,
    IgnoreRegions,
    checked_column,
    checked_offsets,
    frame_columns,
    pose_columns,
    rows_of_frames,
    take_frames,
    take_joint_columns,
    with_scored,
)


@dataclass(frozen=True, eq=False)
class Poses:
    """All poses of one sequence, frame after frame. N poses, K joints, F frames; image pixels, centres at integers.

    Only keypoints, frame_offsets and skeleton need to be given. Pose columns are NumPy arrays or torch tensors of one
    device and are cast to the dtype named here. Everything with one entry a frame stays on the host.

    Attributes:
        keypoints: (N, K, 2) float32, x and y.
        frame_offsets: (F + 1,) int64 on the host: frame f holds the rows frame_offsets[f] to frame_offsets[f + 1].
        skeleton: The joint set, K joints.
        joint_scores: (N, K) float32, any finite value; default 1.
        joint_visibility: (N, K) uint8: 0 absent, 1 labelled but hidden, 2 visible; default 2. Joints with a NaN
            coordinate are absent and put at (0, 0); so are, where this column is not given, those with a score of 0 at
            (0, 0), (-1, -1) or elsewhere with neither coordinate above 0, as tools write them.
        boxes: (N, 4) float32 xyxy, width = x2 - x1; default the extent of the joints that are not absent.
        scores: (N,) float32; default 1.
        track_ids: (N,) int64, -1 for none; default -1.
        head_boxes: (N, 4) float32 xyxy or None, with a row of NaN for a pose without one.
        areas: (N,) float32 or None (then the box's area counts).
        features: Further (N, ...) columns by name, of any dtype, that travel with their rows: embeddings, joints
            carried by flow, ... Files do not hold them, but for "joint_scored", (N, K) bool, which readers add where a
            file lacks scores of joints that are there, and "mot_class", (N,) int64, MOT ground truth's class.
        frame_names: F image names or None.
        frame_ids: (F,) int64 numbers of the frames in their video (PoseTrack's or COCO's image id, MOT's number), in
            rising order; a gap of numbers is a gap in time. None counts frames one by one.
        is_labeled: (F,) bool or None (then all frames are).
        frame_size: (F, 2) int64 width and height, or None.
        ignore_regions: Polygons of each frame, (V, 2) float64 each, or None.
        sequence: The sequence's name.

    Raises:
        ValueError: A shape or frame_offsets is wrong.
    """

    keypoints: Array
    frame_offsets: np.ndarray
    skeleton: Skeleton
    joint_scores: Array = None
    joint_visibility: Array = None
    boxes: Array = None
    scores: Array = None
    track_ids: Array = None
    head_boxes: Array | None = None
    areas: Array | None = None
    features: Mapping[str, Array] = field(default_factory=dict)
    frame_names: tuple[str, ...] | None = None
    frame_ids: np.ndarray | None = None
    is_labeled: np.ndarray | None = None
    frame_size: np.ndarray | None = None
    ignore_regions: IgnoreRegions | None = None
    sequence: str = ""

    def __post_init__(self) -> None:
        if not is_tensor(self.keypoints):
            object.__setattr__(self, "keypoints", np.asarray(self.keypoints))
        check_shape("keypoints", self.keypoints, ("N", "K", 2), K=len(self.skeleton))
        columns: dict[str, Any] = pose_columns({name: getattr(self, name) for name in POSE_COLUMNS})
        columns["features"] = checked_features(self.features, columns["keypoints"])
        columns["frame_offsets"] = checked_offsets(self.frame_offsets, len(columns["keypoints"]))
        frames = len(columns["frame_offsets"]) - 1
        columns |= frame_columns({name: getattr(self, name) for name in FRAME_COLUMNS}, frames)
        for name, column in columns.items():
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame_offsets) - 1

    def __iter__(self) -> Iterator[Poses]:
        """The frames one by one, as `frame` gives them."""
        return (self.frame(f) for f in range(len(self)))

    def __repr__(self) -> str:
        count, joints = self.keypoints.shape[:2]
        return f"Poses({self.sequence!r}: {len(self)} frames, {count} poses, {joints} joints, {self.skeleton.name})"

    def _repr_html_(self) -> str:
        """A table of what is there, and a drawing of the first frame with people, for notebooks."""
        ids, scores = on_host(self.track_ids), on_host(self.scores)
        facts = {
            "sequence": self.sequence,
            "frames": len(self),
            "poses": len(ids),
            "tracks": len(np.unique(ids[ids >= 0])),
            "skeleton": f"{self.skeleton.name}, {len(self.skeleton)} joints",
            "scores": f"{scores.min():.3g} to {scores.max():.3g}" if len(scores) else "none",
        }
        return page(facts, self._drawing())

    def _drawing(self) -> str:
        """The first frame with people in SVG; "" where there is none."""
        peopled = np.flatnonzero(np.diff(self.frame_offsets)).tolist()
        if not peopled:
            return ""
        first = self.frame(peopled[0]).numpy()
        title = f"frame {peopled[0]}" if first.frame_names is None else first.frame_names[0]
        size = None if first.frame_size is None else first.frame_size[0].tolist()
        present = first.joint_visibility > 0
        return drawing(first.keypoints, present, first.track_ids, self.skeleton.edges, size=size, title=title)

    def frame(self, f: int) -> Poses:
        """The poses of frame `f` (negative counts from the end), as views."""
        if not -len(self) <= f < len(self):
            raise IndexError(f"frame must be within {len(self)} frames, got {f}")
        f %= len(self)
        return self[f : f + 1]

    def __getitem__(self, frames: slice) -> Poses:
        """The poses of a slice of frames, as views where the step is 1."""
        if not isinstance(frames, slice):
            raise TypeError(
                f"Poses are indexed by a slice of frames, got {type(frames).__name__}; use frame(f) for one"
            )
        index = range(len(self))[frames]
        rows, offsets = rows_of_frames(self.frame_offsets, index)
        per_frame = {name: take_frames(getattr(self, name), index) for name in FRAME_COLUMNS}
        return self._unchecked(frame_offsets=offsets, **self._rows(rows), **per_frame)

    def _unchecked(self, **columns: Any) -> Poses:
        """A copy with parts of these columns, which need no check: linking asks for every frame of a video."""
        part = object.__new__(type(self))
        vars(part).update(vars(self) | columns)
        return part

    def select(self, mask: Array) -> Poses:
        """The poses where `mask` (N,) is True. The frames stay, some of them perhaps empty."""
        mask = mask if is_tensor(mask) else np.asarray(mask)
        check_shape("mask", mask, ("N",), N=self.keypoints.shape[0])
        check_dtype("mask", mask, ("bool",))
        rows, offsets = kept_rows(cast_column("mask", mask, "bool", self.keypoints), self.frame_offsets)
        return self._unchecked(frame_offsets=offsets, **self._rows(rows))

    def with_track_ids(self, track_ids: Array) -> Poses:
        """The same poses with other track ids (N,)."""
        return self._unchecked(track_ids=checked_column("track_ids", track_ids, self.keypoints))

    def to(self, device: Any) -> Poses:
        """The pose columns as torch tensors on `device` ("cpu", "cuda:0", ...)."""
        import torch

        return self._map(lambda column: torch.as_tensor(column, device=device))

    def numpy(self) -> Poses:
        """The pose columns as NumPy arrays."""
        return self._map(on_host) if is_tensor(self.keypoints) else self

    def to_skeleton(self, skeleton: Skeleton, *, extrapolate_head: bool = True) -> Poses:
        """The same poses in another skeleton's joints and order, matched by name. Joints that it adds are absent.

        Two joints are not: head_bottom and head_top of people whose skeleton lacks them and has shoulders and a face,
        as COCO's. They lie on the line from the middle of the shoulders to the middle of the ears, 0.3 and 1.7 times as
        far. Where an ear is absent, it is the line to the mean of the other and of the eyes that are there, or to the
        nose where none of these is, and they lie 0.3 and 1.5 times as far. Without both shoulders and any of the face
        they stay absent. Their score is the mean score of the joints that they come from, their visibility the lowest.

        Boxes, scores and everything else stay: a joint set that lacks ears does not change who stands where.

        Args:
            skeleton: The other skeleton.
            extrapolate_head: False leaves head joints that nobody has seen absent, as befits annotations.
        """
        if skeleton == self.skeleton:
            return self
        index = self.skeleton.indices_of(skeleton)
        columns = {name: getattr(self, name) for name in JOINT_COLUMNS}
        if JOINT_SCORED in self.features:
            columns[JOINT_SCORED] = self.features[JOINT_SCORED]
        taken = take_joint_columns(columns, index)
        if extrapolate_head:
            add_head_joints(taken, columns, self.skeleton, skeleton)
        features = {name: taken.pop(name, column) for name, column in self.features.items()}
        return replace(self, skeleton=skeleton, features=features, **taken)

    @staticmethod
    def from_frames(
        keypoints: Iterable[Array],
        *,
        skeleton: Skeleton,
        scores: Iterable[Array] | None = None,
        boxes: Iterable[Array] | None = None,
        track_ids: Iterable[Array] | None = None,
        frame_names: Iterable[str] | None = None,
        frame_ids: Array | None = None,
        frame_size: Array | None = None,
        sequence: str = "",
    ) -> Poses:
        """Joins one array a frame, as detectors give them.

        Frames may lack people, and their arrays then have any shape of length 0, such as `[]`. A joint whose x, y or
        score is not finite is absent, and so is one of score 0 at (0, 0) or (-1, -1), as tools write it.

        Args:
            keypoints: F arrays (n, K, 2), or (n, K, 3) with the joints' scores behind x and y.
                The poses are NumPy or torch as the first frame with people is.
            skeleton: The joint set, K joints.
            scores: F arrays (n,).
            boxes: F arrays (n, 4) xyxy.
            track_ids: F arrays (n,), -1 for none.
            frame_names: F image names.
            frame_ids: (F,) numbers of the frames in their video.
            frame_size: (F, 2) width and height, or (2,) of all frames.
            sequence: The sequence's name.

        Raises:
            TypeError: A frame's entries are no numbers.
            ValueError: A shape is wrong, or a list has another length than F. Both messages name the frame.

        Example:
            >>> poses = Poses.from_frames([np.zeros((2, 17, 2)), [], np.ones((1, 17, 2))], skeleton=COCO_17)
            >>> len(poses), len(poses.scores)
            (3, 3)
        """
        rows = {"scores": scores, "boxes": boxes, "track_ids": track_ids}
        columns = columns_of_frames(keypoints, len(skeleton), rows)
        if frame_size is not None and np.shape(frame_size) == (2,):
            frame_size = np.tile(frame_size, (len(columns["frame_offsets"]) - 1, 1))
        return Poses(
            skeleton=skeleton,
            frame_names=None if frame_names is None else tuple(frame_names),
            frame_ids=frame_ids,
            frame_size=frame_size,
            sequence=sequence,
            **columns,
        )

    @staticmethod
    def concatenate(parts: Sequence[Poses]) -> Poses:
        """Joins sequences of frames one after the other. The first names the sequence and the skeleton.

        Raises:
            ValueError: There are no parts, skeletons differ, or an optional column or a feature is in some parts only,
                but for "joint_scored", which is True where it is not.
        """
        if not parts:
            raise ValueError("parts must hold at least one Poses, got none")
        if any(part.skeleton != parts[0].skeleton for part in parts):
            raise ValueError(f"parts must share one skeleton, got {sorted({part.skeleton.name for part in parts})}")
        columns = {name: join_columns(name, [getattr(part, name) for part in parts]) for name in POSE_COLUMNS}
        columns |= {name: join_columns(name, [getattr(part, name) for part in parts]) for name in FRAME_COLUMNS}
        features = [part.features for part in parts]
        if any(JOINT_SCORED in each for each in features):
            features = [with_scored(part.features, part.joint_scores) for part in parts]
        columns["features"] = join_features(features)
        counts = np.concatenate([np.diff(part.frame_offsets) for part in parts])
        return replace(parts[0], frame_offsets=offsets_of(counts), **columns)

    def _rows(self, rows: Any) -> dict[str, Any]:
        return self._mapped(lambda column: column[rows])

    def _map(self, function: Callable[[Array], Array]) -> Poses:
        return replace(self, **self._mapped(function))

    def _mapped(self, function: Callable[[Array], Array]) -> dict[str, Any]:
        """Every column with one row a pose after `function`, by name."""
        columns = {name: getattr(self, name) for name in POSE_COLUMNS}
        mapped: dict[str, Any] = {
            name: None if column is None else function(column) for name, column in columns.items()
        }
        return mapped | {"features": {name: function(column) for name, column in self.features.items()}}
