"""A scene at one moment: drawn, and as maps of owners and of motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.synthetic._anatomy import Body, bodies
from ptfast.synthetic._backdrop import Backdrop
from ptfast.synthetic._clothing import Clothing
from ptfast.synthetic._paint import dot, mark, motion, move, paint, shade
from ptfast.synthetic._scenery import Thing, quad_map, things
from ptfast.synthetic.stage import Stage


@dataclass(frozen=True)
class World:
    """People, their clothes, and everything that stands about them.

    Attributes:
        stage: F frames of P people.
        turns: (F, 3, 3) homographies of the camera.
        backdrop: The street behind everybody.
        things: Posts and boxes among the people.
        clothes: Clothing by the visitors' numbers.
    """

    stage: Stage
    turns: np.ndarray
    backdrop: Backdrop
    things: list[Thing]
    clothes: dict[int, Clothing]

    @staticmethod
    def furnished(staged: Stage, seed: int, scenery: int) -> World:
        """Draws clothes for the people of a stage, a backdrop, and `scenery` things."""
        rng = np.random.default_rng([seed, 2])
        visitors = np.unique(staged.visitor).tolist()
        return World(
            stage=staged,
            turns=staged.camera.homographies(),
            backdrop=Backdrop(rng, staged.camera),
            things=things(rng, scenery, staged.camera),
            clothes={one: Clothing.draw(np.random.default_rng([seed, 3, one])) for one in visitors},
        )


class Moment:
    """A scene at a frame, or a share of the way to a neighbour of it: people and things, farthest first."""

    def __init__(self, world: World, frame: int, share: float = 0.0) -> None:
        self.world, self.frame, self.share = world, frame, share
        self.slots = np.flatnonzero(world.stage.present[frame])
        self.bodies = self._bodies_at(frame, share)
        near = world.stage.nearness[frame, self.slots]
        order: list[tuple[float, int | Thing]] = [(float(value), body) for body, value in enumerate(near)]
        order += [(float(thing.nearness[frame]), thing) for thing in world.things]
        self.order = [one for _, one in sorted(order, key=lambda pair: pair[0])]

    def image(self) -> np.ndarray:
        """(H, W, 3) uint8 red, green, blue."""
        canvas = self.world.backdrop.view(self._between(self.world.turns))
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
        found = np.zeros(self.world.stage.size[::-1], np.int16)
        scenery = self.world.stage.present.shape[1] + 1
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
        width, height = self.world.stage.size
        turns = self.world.turns
        flow = motion(turns[self.frame + 1] @ np.linalg.inv(turns[self.frame]), (0, 0, width, height))
        then = self._bodies_at(self.frame, 1.0)
        for one in self.order:
            if isinstance(one, Thing):
                for face in one.faces:
                    move(flow, face[self.frame], quad_map(face[self.frame]), quad_map(face[self.frame + 1]))
            else:
                _move_body(flow, self.bodies[one], then[one])
        return flow

    def stays(self, flow: np.ndarray, then: Moment) -> np.ndarray:
        """(H, W) bool: the flow (H, W, 2) leads a pixel to one of the same owner in the next frame, `then`."""
        now, later = self.owners(), then.owners()
        height, width = now.shape
        x = np.rint(flow[..., 0] + np.arange(width)).astype(int)
        y = np.rint(flow[..., 1] + np.arange(height)[:, None]).astype(int)
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        visitor = self.world.stage.visitor
        same = np.concatenate([[True], visitor[self.frame] == visitor[then.frame], [True]])  # who is in a slot
        return inside & (now == later[y.clip(0, height - 1), x.clip(0, width - 1)]) & same[now]

    def _paint_body(self, canvas: np.ndarray, index: int) -> None:
        body = self.bodies[index]
        clothes = self.world.clothes[int(self.world.stage.visitor[self.frame, self.slots[index]])]
        last = max(number for number, part in enumerate(body.parts) if part.name in ("hair", "face"))
        for number, part in enumerate(body.parts):
            paint(canvas, part.outline, clothes.textures[part.name], part.matrix)
            for centre, radius in body.dots if number == last else ():
                dot(canvas, centre, radius, clothes.dark)

    def _bodies_at(self, frame: int, share: float) -> list[Body]:
        staged, slots = self.world.stage, self.slots
        build = [self.world.clothes[int(one)].build for one in staged.visitor[frame, slots]]
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
        return min(max(self.frame + int(np.sign(share)), 0), len(self.world.turns) - 1)

    def _between(self, values: np.ndarray, share: float | None = None) -> np.ndarray:
        """values (F, ...) at the moment."""
        share = self.share if share is None else share
        if share == 0:
            return values[self.frame]
        weight = values.dtype.type(abs(share))
        return values[self.frame] * (1 - weight) + values[self._other(share)] * weight


def _move_body(flow: np.ndarray, now: Body, then: Body) -> None:
    """Writes the flow of one person, part by part. A face that is gone in the next frame moves with the hair."""
    later = {part.key: part.matrix for part in then.parts}
    for part in now.parts:
        if part.key in later:
            move(flow, part.outline, part.matrix, later[part.key])
