"""Small procedural textures: plain, striped, checked, dotted and noisy, and the shading of round things."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np


def color(rng: np.random.Generator, vividness: float = 0.6) -> np.ndarray:
    """(3,) float32 red, green, blue, 0 to 255; `vividness` bounds its distance from grey."""
    rgb = colorsys.hsv_to_rgb(rng.random(), vividness * rng.random(), rng.uniform(0.25, 0.95))
    return np.array(rgb, np.float32) * 255


def pattern(rng: np.random.Generator, height: int, width: int, vividness: float = 0.6) -> np.ndarray:
    """(height, width, 3) float32: a random pattern of two random colours."""
    share = _SHARES[rng.integers(len(_SHARES))](rng, height, width)[..., None].astype(np.float32)
    return share * color(rng, vividness) + (1 - share) * color(rng, vividness)


def noise(rng: np.random.Generator, height: int, width: int, cell: int) -> np.ndarray:
    """(height, width) float32 between 0 and 1, smooth over `cell` pixels."""
    coarse = rng.random((height // cell + 2, width // cell + 2), np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def rounded(texture: np.ndarray) -> np.ndarray:
    """uint8 texture (h, w, 3) with the shading of a cylinder whose axis is vertical, lit from one side."""
    across = np.linspace(-1, 1, texture.shape[1], dtype=np.float32)
    light = 0.5 + 0.6 * np.sqrt(np.maximum(1 - (0.85 * across + 0.25) ** 2, 0))
    return np.clip(texture * light[None, :, None], 0, 255).astype(np.uint8)


def _plain(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return np.full((height, width), 1.0)


def _stripes(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    period = rng.integers(3, 7)
    down, across = np.indices((height, width))
    return ((down if rng.random() < 0.7 else across) // period) % 2


def _checks(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    down, across = np.indices((height, width)) // rng.integers(3, 7)
    return 0.5 * (down % 2) + 0.5 * (across % 2)


def _dots(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    down, across = np.indices((height, width)) % 8 - 3.5
    return down**2 + across**2 < rng.uniform(4, 10)


def _noise(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return noise(rng, height, width, int(rng.integers(2, 6)))


_SHARES = (_plain, _plain, _stripes, _checks, _dots, _noise)
