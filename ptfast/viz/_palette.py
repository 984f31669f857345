"""A colour for every track id: far apart for neighbouring ids, equally light to the eye, the same in every image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

BACKGROUND = (17, 20, 26)
TEXT = (226, 230, 236)
FAINT_TEXT = (138, 146, 158)
NO_ID = (150, 156, 166)

_FIRST_HUE = 25.0
_GOLDEN_ANGLE = 137.508  # degrees: no two of the first ids are close, and later ones fall into the largest gap
_LIGHTNESS = (0.76, 0.68, 0.84)
_CHROMA = 0.16

# OKLab to linear sRGB (B. Ottosson, "A perceptual color space for image processing", 2020).
_TO_CONE = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


@lru_cache(maxsize=4096)
def id_color(track_id: int) -> tuple[int, int, int]:
    """The colour (red, green, blue) of a track id, 0 to 255; grey for -1, no id.

    Hues follow the golden angle in OKLCH, whose lightness and chroma are perceptual. Chroma shrinks to what a screen
    can show.
    """
    if track_id < 0:
        return NO_ID
    hue = np.radians(_FIRST_HUE + _GOLDEN_ANGLE * track_id)
    lightness = _LIGHTNESS[track_id % len(_LIGHTNESS)]
    for chroma in np.linspace(_CHROMA, 0, 33):
        linear = _TO_RGB @ (_TO_CONE @ [lightness, chroma * np.cos(hue), chroma * np.sin(hue)]) ** 3
        if (linear >= 0).all() and (linear <= 1).all():
            break
    red, green, blue = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055)
    return round(255 * red), round(255 * green), round(255 * blue)


def mixed(color: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """`color` with a `share` of 0 to 1 of `other`."""
    red, green, blue = (round((1 - share) * own + share * more) for own, more in zip(color, other, strict=True))
    return red, green, blue
