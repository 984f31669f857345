"""Places, directions and gaits of people on the ground, frame by frame.

The camera stands at the origin and looks along z, x points right, and lengths are metres on the ground. A scene has
slots: in each one visitor after another enters at one side, crosses the view and leaves at the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.synthetic.body import Bodies

_DEPTHS = (4.5, 10.0)
_MAX_WANDER = 1.2  # metres to and fro in depth
_MARGIN = 0.5  # metres outside the view where visitors appear and vanish
_PAUSE = (0.0, 0.6)  # seconds between two visitors of a slot
STRIDE = 0.82  # length of a gait cycle of two steps at walking pace, in body heights
_WALK = 1.4  # metres a second at effort 1
_STOPPERS = 0.3  # share of visitors who stop on their way, face the camera and wave
_RUNNERS = 0.15
_SLOW, _USUAL, _FAST = (0.6, 1.0), (0.8, 1.8), (2.2, 3.2)  # mean metres a second: who stops, who walks, who runs


@dataclass(frozen=True)
class Walks:
    """F frames of P slots; all (F, P) unless noted.

    Attributes:
        visitor: int64, a number of its own for each visitor.
        present: bool, False in a pause between two visitors.
        position: (F, P, 2) metres, x and z.
        heading: Radians; 0 walks away from the camera, pi / 2 to the right.
        phase: Radians of the gait cycle.
        effort: 0 standing, 1 walking, 1.6 running.
        wave: 0 to 1, the height of a raised arm.
        clock: (F, 1) seconds.
        bodies: Lengths of shape (F, P).
    """

    visitor: np.ndarray
    present: np.ndarray
    position: np.ndarray
    heading: np.ndarray
    phase: np.ndarray
    effort: np.ndarray
    wave: np.ndarray
    clock: np.ndarray
    bodies: Bodies


def walks(rng: np.random.Generator, frames: int, slots: int, half_view: float, fps: float) -> Walks:
    """Draws visitors for every slot and moves them.

    Args:
        rng: Source of everything random.
        frames: F.
        slots: P, number of people at a time, pauses aside.
        half_view: Half the width of the view at a depth of one metre.
        fps: Frames a second.
    """
    visits = _Visits.draw(rng, frames / fps, slots, half_view)
    clock = np.arange(frames)[:, None] / fps
    visit = np.stack([np.searchsorted(ends, clock[:, 0], side="right") for ends in visits.end.T], 1)
    visitor = visit * slots + np.arange(slots)
    own = visits.take(visit)
    elapsed = clock - own.start
    position, velocity, pace = _travel(own, elapsed)
    wave = np.where(own.stops, np.clip(1 - 2.5 * pace, 0, 1), 0)
    wave = wave * wave * (3 - 2 * wave)
    heading = np.arctan2(velocity[..., 0], velocity[..., 1])
    speed = np.linalg.norm(velocity, axis=-1)
    bodies = Bodies.draw(rng, visits.end.size).take(visitor)
    stride = bodies.height * STRIDE * np.clip(0.5 + 0.5 * own.speed / _WALK, 0.8, 1.6)
    phase = own.phase + np.cumsum(speed / fps, 0) * (2 * np.pi) / stride
    return Walks(
        visitor=visitor,
        present=(elapsed >= 0) & (elapsed < own.duration),
        position=position,
        heading=heading + wave * np.angle(np.exp(1j * (np.pi - heading))),
        phase=phase,
        effort=np.clip(speed / _WALK, 0, 1.6),
        wave=wave,
        clock=clock,
        bodies=bodies,
    )


@dataclass(frozen=True)
class _Visits:
    """Random figures of each visit, (V, P), or of the visit of each frame, (F, P), in seconds, metres and radians."""

    start: np.ndarray
    duration: np.ndarray
    end: np.ndarray
    direction: np.ndarray
    edge: np.ndarray
    speed: np.ndarray
    stops: np.ndarray
    rhythm: np.ndarray
    depth: np.ndarray
    wander: np.ndarray
    bends: np.ndarray
    phase: np.ndarray

    @staticmethod
    def draw(rng: np.random.Generator, seconds: float, slots: int, half_view: float) -> _Visits:
        shortest = 2 * (_DEPTHS[0] * half_view + _MARGIN) / _FAST[1]
        shape = (int(np.ceil(seconds / shortest)) + 2, slots)
        near, far = _DEPTHS
        depth = 1 / rng.uniform(1 / far, 1 / near, shape)
        wander = rng.uniform(0, _MAX_WANDER, shape) * np.minimum(1, depth - near + 0.3)
        manner = rng.random(shape)
        stops, runs = manner < _STOPPERS, manner > 1 - _RUNNERS
        slow, usual, fast = (rng.uniform(*speeds, shape) for speeds in (_SLOW, _USUAL, _FAST))
        speed = np.where(stops, slow, np.where(runs, fast, usual))
        edge = (depth + wander) * half_view + _MARGIN
        duration = 2 * edge / speed
        length = duration + rng.uniform(*_PAUSE, shape)
        end = np.cumsum(length, 0) - length[0] * rng.random(slots)
        return _Visits(
            start=end - length,
            duration=duration,
            end=end,
            direction=np.where((np.add.outer(np.arange(shape[0]), np.arange(slots)) + rng.integers(2)) % 2, 1, -1),
            edge=edge,
            speed=speed,
            stops=stops,
            rhythm=rng.uniform(0.8 * np.pi, 1.2 * np.pi, shape),
            depth=depth,
            wander=wander,
            bends=rng.uniform(0.5, 1.2, shape),
            phase=rng.uniform(0, 2 * np.pi, shape),
        )

    def take(self, visit: np.ndarray) -> _Visits:
        """The visit of each frame, by its number (F, P) within the slot."""
        return _Visits(**{name: np.take_along_axis(value, visit, 0) for name, value in vars(self).items()})


def _travel(own: _Visits, elapsed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions (F, P, 2), velocities (F, P, 2) and the pace (F, P): 1 on average, 0 at a stop.

    The way gone is the integral of speed x pace, and depth is a function of the way gone, so that who stops on the way
    stands still in both directions.
    """
    omega = 2 * np.pi / own.duration
    swing = np.where(own.stops, 1.0, 0.25)
    angle = omega * elapsed + own.rhythm
    pace = 1 - swing * np.cos(angle)
    way = own.speed * (elapsed - swing * (np.sin(angle) - np.sin(own.rhythm)) / omega)
    turns = own.bends * np.pi / own.edge
    x = own.direction * (way - own.edge)
    z = own.depth + own.wander * np.sin(turns * way + own.phase)
    slope = own.wander * turns * np.cos(turns * way + own.phase)
    velocity = (own.speed * pace)[..., None] * np.stack([own.direction, slope], -1)
    return np.stack([x, z], -1), velocity, pace
