"""Convex outlines of a body's parts, each with the map of its texture to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_TURN = np.linspace(0, np.pi, 8, dtype=np.float32)
CIRCLE = np.stack([np.cos(2 * np.pi * np.arange(16) / 16), np.sin(2 * np.pi * np.arange(16) / 16)], 1).astype("f4")


@dataclass(frozen=True)
class Part:
    """A convex outline (V, 2), the name of its texture, and the (2, 3) map of the unit square to pixels.

    The square is (across, along) the part. `key` tells the parts of a body apart: the left arm from the right.
    """

    name: str
    key: str
    outline: np.ndarray
    matrix: np.ndarray


def capsules(first: np.ndarray, second: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outlines (P, L, 16, 2) and matrices (P, L, 2, 3) of capsules between two points (P, L, 2), of radii (P, L, 2)."""
    along = second - first
    angle = np.arctan2(along[..., 1], along[..., 0])[..., None]
    turns = np.concatenate([angle + np.pi / 2 + _TURN, angle - np.pi / 2 + _TURN], -1)
    round_off = np.stack([np.cos(turns), np.sin(turns)], -1)
    ends = np.repeat(np.stack([first, second], -2), len(_TURN), -2)
    outlines = ends + np.repeat(radii, len(_TURN), -1)[..., None] * round_off
    unit = np.concatenate([np.cos(angle), np.sin(angle)], -1)
    side = np.stack([unit[..., 1], -unit[..., 0]], -1)
    wide = radii.max(-1)[..., None]
    start = first - radii[..., :1] * unit - wide * side
    length = np.hypot(along[..., 0], along[..., 1])[..., None] + radii.sum(-1)[..., None]
    return outlines, np.stack([2 * wide * side, length * unit, start], -1)


def upright(ends: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Matrices (P, 2, 3) that do not turn when two ends (P, 2, 2) pass each other, as hips seen from the side do."""
    low, high = ends.min(1) - radius, ends.max(1) + radius
    wide, tall = (high - low).T
    none = np.zeros_like(wide)
    return np.stack([np.stack([wide, none], -1), np.stack([none, tall], -1), low], -1)


def ellipse(name: str, centre: np.ndarray, across: np.ndarray, down: np.ndarray) -> Part:
    """An ellipse about `centre` with the half axes `across` and `down`, (2,) each."""
    outline = centre + CIRCLE @ np.array([across, down], np.float32)
    return Part(name, name, outline, square_map(2 * across, 2 * down, centre - across - down))


def unit_across(down: np.ndarray) -> np.ndarray:
    """(2,) unit vector at right angles to `down` (2,)."""
    x, y = down.tolist()
    length = max(math.hypot(x, y), 1e-3)
    return np.array([y / length, -x / length], np.float32)


def square_map(across: np.ndarray, down: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(2, 3) map of the unit square to pixels, from its sides and corner (2,)."""
    return np.array([across, down, start]).T
