"""Clothes and build of a person, drawn once for each visitor of a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast.synthetic._textures import color, pattern, rounded

_SKINS = np.array([(255, 219, 190), (238, 190, 150), (205, 150, 110), (150, 100, 68), (100, 66, 46)], np.float32)
_HAIRS = np.array([(30, 24, 22), (60, 40, 26), (120, 82, 44), (200, 165, 95), (150, 150, 150), (150, 62, 30)])


@dataclass(frozen=True)
class Clothing:
    """uint8 textures (h, w, 3) by part of the body, y along the limb; a factor on thickness; a dark tone of skin."""

    textures: dict[str, np.ndarray]
    build: float
    dark: tuple[int, int, int]

    @staticmethod
    def draw(rng: np.random.Generator) -> Clothing:
        """Random clothes: long or short sleeves and trousers, patterned or plain."""
        tone = _SKINS[rng.integers(len(_SKINS))] * rng.uniform(0.92, 1.05)
        skin = rounded(np.broadcast_to(tone, (16, 12, 3)))
        hair = rounded(_HAIRS[rng.integers(len(_HAIRS))] * rng.uniform(0.7, 1.2, (16, 12, 1)))
        shirt, legs = pattern(rng, 40, 32, 0.9), pattern(rng, 40, 16, 0.5) * rng.uniform(0.5, 1)
        sleeve, trousers = rounded(shirt[:32, :16]), rounded(legs)
        textures = {
            "torso": rounded(shirt),
            "upper_arm": sleeve,
            "forearm": sleeve if rng.random() < 0.5 else skin,
            "pelvis": trousers,
            "thigh": trousers,
            "shin": trousers if rng.random() < 0.75 else skin,
            "foot": rounded(np.broadcast_to(color(rng, 0.4) * rng.uniform(0.3, 1), (8, 8, 3))),
            "hand": skin,
            "neck": skin,
            "hair": hair,
            "face": skin,
        }
        dark = (0.35 * tone).astype(int).tolist()
        return Clothing(textures, float(rng.uniform(0.85, 1.25)), (dark[0], dark[1], dark[2]))
