"""Videos of synthetic scenes: shaded, clothed people before a street, in depth order, with everything known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ptfast._check import check_integer, check_number
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic._moments import Moment, World
from ptfast.synthetic.scene import annotated
from ptfast.synthetic.stage import stage

NOBODY, SCENERY = -1, -2  # in RenderedFrame.owners, where no annotated person is
_SHUTTER = 0.5  # exposure of a blurred image, as a share of the time between two frames


@dataclass(frozen=True)
class RenderedFrame:
    """One frame.

    Attributes:
        image: (H, W, 3) uint8 red, green, blue.
        owners: (H, W) int32: the track id of the person at each pixel, -1 for background, -2 for scenery.
        flow: (H, W, 2) float32 pixels right and down from this frame to the next, or None.
    """

    image: np.ndarray
    owners: np.ndarray
    flow: np.ndarray | None


def render(
    seed: int = 0,
    *,
    frames: int = 240,
    people: int = 6,
    size: tuple[int, int] = (256, 256),
    skeleton: Skeleton = POSETRACK_15,
    fps: float = 25.0,
    pan: float = 0.0,
    shake: float = 0.0,
    scenery: int = 2,
    blur: int = 1,
) -> Film:
    """Makes a video of the people of `scene(seed, ...)`, whose frames are drawn as they are asked for.

    Args:
        seed: The same seed gives the same pixels.
        frames: F, number of frames.
        people: Number of people at a time.
        size: Width and height of the images in pixels.
        skeleton: A joint set of human bodies.
        fps: Frames a second.
        pan: Degrees by which the camera swings to either side, once in eight seconds.
        shake: Degrees, standard deviation, by which the hand that holds the camera shakes.
        scenery: Number of posts and boxes among the people.
        blur: Number of moments that an image is the mean of, over half the time between two frames. 1 is sharp, and
            the cost grows in proportion.

    Returns:
        A Film. Its poses are those of `scene` with the same arguments, apart from joint_visibility. A joint is 1
        where another person or scenery is drawn over it, and 2 elsewhere in the image.

    Raises:
        ValueError: A number is out of its range, or the skeleton is not a human body's.
    """
    check_number("frames", frames, 0)
    check_number("people", people, 1)
    check_number("size", min(size), 1)
    check_number("fps", fps, 1)
    check_number("scenery", scenery, 0)
    check_number("blur", blur, 1)
    return Film(seed, frames, people, size, skeleton, fps, pan, shake, scenery, blur)


class Film:
    """A video that is drawn frame by frame; made by `render`. Frames may be drawn in any order and by any thread.

    Attributes:
        poses: F frames of poses with boxes, head_boxes, track_ids and joint_visibility.
    """

    def __init__(
        self, seed: int, frames: int, people: int, size: tuple[int, int], skeleton: Skeleton, fps: float, pan: float,
        shake: float, scenery: int, blur: int,
    ) -> None:  # fmt: skip
        staged = stage(seed, frames, people, size, fps, pan, shake)
        poses, kept = annotated(staged, seed, skeleton)
        self._blur = blur
        self._world = World.furnished(staged, seed, scenery)
        self._ids = np.full(kept.shape, NOBODY, np.int32)
        self._ids[kept] = poses.track_ids
        self.poses = dataclasses.replace(poses, joint_visibility=_visibility(poses, kept, self._world))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 images of all frames in order."""
        return (self.image(frame) for frame in range(len(self)))

    def image(self, frame: int) -> np.ndarray:
        """(H, W, 3) uint8 red, green, blue, of a frame, 0 to F - 1."""
        frame = self._index(frame)
        if self._blur == 1:
            return Moment(self._world, frame).image()
        shares = (np.arange(self._blur) / (self._blur - 1) - 0.5) * _SHUTTER
        total = np.zeros((*self._world.stage.size[::-1], 3), np.uint16)
        for share in shares.tolist():
            total += Moment(self._world, frame, share).image()
        return (total // self._blur).astype(np.uint8)

    def frame(self, frame: int, *, flow: bool = False) -> RenderedFrame:
        """The image of a frame, the owners of its pixels and, if there is a next frame, the flow to it.

        Args:
            frame: 0 to F - 1.
            flow: Draws the flow, too.
        """
        frame = self._index(frame)
        image = self.image(frame)
        there = flow and frame + 1 < len(self)
        return RenderedFrame(image, self.owners(frame), Moment(self._world, frame).flow() if there else None)

    def owners(self, frame: int) -> np.ndarray:
        """(H, W) int32 of a frame, 0 to F - 1: the track id at each pixel, -1 for background, -2 for scenery."""
        frame = self._index(frame)
        owners = np.concatenate([[NOBODY], self._ids[frame], [SCENERY]]).astype(np.int32)
        return owners[Moment(self._world, frame).owners()]

    def flow(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """The flow of every pixel from a frame to the next, and which pixels can be seen there.

        Args:
            frame: 0 to F - 2.

        Returns:
            (H, W, 2) float32 pixels right and down, that of `frame`; and (H, W) bool, True where it leads to the same
            person, thing or background, False where to the outside of the image, to what hides it there, or nowhere, as
            the person has left.

        Raises:
            TypeError: `frame` is no integer.
            ValueError: There is no such frame, or no next one.
        """
        frame = self._index(frame)
        if frame == len(self) - 1:
            raise ValueError(f"frame must not be the last one, as there is no next frame, got {frame}")
        now = Moment(self._world, frame)
        flow = now.flow()
        return flow, now.stays(flow, Moment(self._world, frame + 1))

    def _index(self, frame: int) -> int:
        """Returns `frame` as an int, checked to be one of the film's."""
        if not len(self):
            raise ValueError(f"frame must be one of the film, which has none, got {frame}")
        return check_integer("frame", frame, 0, len(self) - 1)


def _visibility(poses: Poses, kept: np.ndarray, world: World) -> np.ndarray:
    """(N, K) uint8: 1 where another owner than the joint's person is drawn; kept (F, P) bool, the poses' slots."""
    visibility = poses.joint_visibility.copy()
    slots = np.nonzero(kept)[1] + 1
    for frame in np.flatnonzero(np.diff(poses.frame_offsets)).tolist():
        rows = slice(int(poses.frame_offsets[frame]), int(poses.frame_offsets[frame + 1]))
        x, y = np.moveaxis(np.round(poses.keypoints[rows]).astype(np.int64), -1, 0)
        at = Moment(world, frame).owners()[y, x]
        covered = (at != 0) & (at != slots[rows, None])
        seen = np.where(covered, np.uint8(1), np.uint8(2))
        visibility[rows] = np.where(visibility[rows] > 0, seen, np.uint8(0))
    return visibility
