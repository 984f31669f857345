"""Pictures of a synthetic scene: shaded, clothed people before a street, in depth order, with everything known."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ptfast._check import check_number
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses
from ptfast.synthetic._anatomy import Body, bodies
from ptfast.synthetic._backdrop import Backdrop
from ptfast.synthetic._clothing import Clothing
from ptfast.synthetic._paint import dot, mark, motion, move, paint, shade
from ptfast.synthetic._scenery import Thing, quad_map, things
from ptfast.synthetic.scene import annotated
from ptfast.synthetic.stage import stage

NOBODY, SCENERY = -1, -2  # in Picture.owners, where no annotated person is
_SHUTTER = 0.5  # of the time between two frames, that a blurred picture is exposed for


@dataclass(frozen=True)
class Picture:
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
        people: How many people there are at a time.
        size: Width and height of the pictures in pixels.
        skeleton: A joint set of human bodies.
        fps: Frames a second.
        pan: Degrees by which the camera swings to either side, once in eight seconds.
        shake: Degrees, standard deviation, by which the hand that holds the camera shakes.
        scenery: How many posts and boxes stand among the people.
        blur: Moments that a picture is the mean of, over half the time between two frames; 1 is sharp. What it costs
            grows in proportion.

    Returns:
        A Film. Its poses are those of `scene` with the same arguments, apart from joint_visibility: a joint is 1
        where what is drawn over it is another person or scenery, and 2 elsewhere in the picture.

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
        self._seed, self._blur = seed, blur
        self._stage = stage(seed, frames, people, size, fps, pan, shake)
        rng = np.random.default_rng([seed, 2])
        camera = self._stage.camera
        self._turns = camera.homographies()
        self._backdrop = Backdrop(rng, camera)
        self._things = things(rng, scenery, camera)
        visitors = np.unique(self._stage.visitor)
        self._clothes = {int(one): Clothing.draw(np.random.default_rng([seed, 3, int(one)])) for one in visitors}
        poses, kept = annotated(self._stage, seed, skeleton)
        self._ids = np.full(kept.shape, NOBODY, np.int32)
        self._ids[kept] = poses.track_ids
        self.poses = dataclasses.replace(poses, joint_visibility=self._visibility(poses, kept))

    def __len__(self) -> int:
        return len(self._stage.joints)

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 pictures of all frames in order."""
        return (self.image(frame) for frame in range(len(self)))

    def image(self, frame: int) -> np.ndarray:
        """(H, W, 3) uint8 picture of a frame, 0 to F - 1."""
        if self._blur == 1:
            return _Moment(self, self._check(frame), 0.0).image()
        moments = (np.arange(self._blur) / (self._blur - 1) - 0.5) * _SHUTTER
        total = np.zeros((*self._stage.size[::-1], 3), np.uint16)
        for moment in moments:
            total += _Moment(self, self._check(frame), float(moment)).image()
        return (total // self._blur).astype(np.uint8)

    def picture(self, frame: int, *, flow: bool = False) -> Picture:
        """Picture, owners and, if asked for and there is a next frame, the flow to it.

        Args:
            frame: 0 to F - 1.
            flow: Whether to draw the flow.
        """
        now = _Moment(self, self._check(frame), 0.0)
        names = np.concatenate([[NOBODY], self._ids[frame], [SCENERY]]).astype(np.int32)
        there = flow and frame + 1 < len(self)
        return Picture(self.image(frame), names[now.owners()], now.flow() if there else None)

    def _check(self, frame: int) -> int:
        check_number("frame", frame, 0, len(self) - 1)
        return frame

    def _visibility(self, poses: Poses, kept: np.ndarray) -> np.ndarray:
        """(N, K) uint8: 1 where another owner than the joint's person is drawn."""
        visibility = poses.joint_visibility.copy()
        slots = np.nonzero(kept)[1] + 1
        for frame in range(len(poses)):
            rows = slice(int(poses.frame_offsets[frame]), int(poses.frame_offsets[frame + 1]))
            if rows.start == rows.stop:
                continue
            owners = _Moment(self, frame, 0.0).owners()
            x, y = np.moveaxis(np.round(poses.keypoints[rows]).astype(np.int64), -1, 0)
            at = owners[y, x]
            covered = (at != 0) & (at != slots[rows, None])
            seen = np.where(covered, np.uint8(1), np.uint8(2))
            visibility[rows] = np.where(visibility[rows] > 0, seen, np.uint8(0))
        return visibility


class _Moment:
    """A film at a frame, or a share of the way to a neighbour of it: who and what is where, farthest first."""

    def __init__(self, film: Film, frame: int, share: float) -> None:
        self.film, self.frame, self.share = film, frame, share
        self.slots = np.flatnonzero(film._stage.present[frame])
        self.bodies = self._bodies_at(frame, share)
        near = film._stage.nearness[frame, self.slots]
        order: list[tuple[float, int | Thing]] = [(float(value), body) for body, value in enumerate(near)]
        order += [(float(thing.nearness[frame]), thing) for thing in film._things]
        self.order = [one for _, one in sorted(order, key=lambda pair: pair[0])]

    def image(self) -> np.ndarray:
        canvas = self.film._backdrop.view(self._between(self.film._turns))
        for body in self.bodies:
            shade(canvas, *body.shadow)
        for one in self.order:
            if isinstance(one, Thing):
                for face, texture in zip(one.faces, one.textures, strict=True):
                    quad = self._between(face)
                    paint(canvas, quad, texture, quad_map(quad))
            else:
                self._paint_body(canvas, one)
        return canvas

    def owners(self) -> np.ndarray:
        """(H, W) int16: 0 for the background, slot + 1 for people, the number of slots + 1 for scenery."""
        found = np.zeros(self.film._stage.size[::-1], np.int16)
        scenery = self.film._stage.present.shape[1] + 1
        for one in self.order:
            if isinstance(one, Thing):
                for face in one.faces:
                    mark(found, self._between(face), scenery)
            else:
                for part in self.bodies[one].parts:
                    mark(found, part.outline, int(self.slots[one]) + 1)
        return found

    def flow(self) -> np.ndarray:
        """(H, W, 2) float32 from this frame to the next."""
        width, height = self.film._stage.size
        turns = self.film._turns
        flow = motion(turns[self.frame + 1] @ np.linalg.inv(turns[self.frame]), (0, 0, width, height))
        then = self._bodies_at(self.frame, 1.0)
        for one in self.order:
            if isinstance(one, Thing):
                for face in one.faces:
                    move(flow, face[self.frame], quad_map(face[self.frame]), quad_map(face[self.frame + 1]))
            else:
                _move_body(flow, self.bodies[one], then[one])
        return flow

    def _paint_body(self, canvas: np.ndarray, index: int) -> None:
        body = self.bodies[index]
        clothes = self.film._clothes[int(self.film._stage.visitor[self.frame, self.slots[index]])]
        last = max(number for number, part in enumerate(body.parts) if part.name in ("hair", "face"))
        for number, part in enumerate(body.parts):
            paint(canvas, part.outline, clothes.textures[part.name], part.frame)
            for centre, radius in body.dots if number == last else ():
                dot(canvas, centre, radius, clothes.dark)

    def _bodies_at(self, frame: int, share: float) -> list[Body]:
        staged, slots = self.film._stage, self.slots
        build = [self.film._clothes[int(one)].build for one in staged.visitor[frame, slots]]
        # Who is followed by somebody else in the slot stays put.
        stays = staged.visitor[self._other(share), slots] != staged.visitor[frame, slots]
        joints, near, heights = (
            np.where(
                stays.reshape(-1, *[1] * (values.ndim - 2)), values[frame, slots], self._between(values, share)[slots]
            )
            for values in (staged.joints, staged.depth_scale, staged.heights)
        )
        return bodies(joints, near, heights, staged.camera.focal, np.array(build, np.float32))

    def _other(self, share: float) -> int:
        """The frame that `share` leads to."""
        return min(max(self.frame + int(np.sign(share)), 0), len(self.film) - 1)

    def _between(self, values: np.ndarray, share: float | None = None) -> np.ndarray:
        """values (F, ...) at the moment."""
        share = self.share if share is None else share
        if share == 0:
            return values[self.frame]
        weight = values.dtype.type(abs(share))
        return values[self.frame] * (1 - weight) + values[self._other(share)] * weight


def _move_body(flow: np.ndarray, now: Body, then: Body) -> None:
    """Writes the flow of one person, part by part; a face that is gone in the next frame moves with the hair."""
    later = {part.key: part.frame for part in then.parts}
    for part in now.parts:
        if part.key in later:
            move(flow, part.outline, part.frame, later[part.key])
