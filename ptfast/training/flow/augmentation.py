"""Pairs of images with their flow, and chance changes of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ptfast._check import check_finite_number, check_number


@dataclass(frozen=True, eq=False)
class FlowPair:
    """Two images and the flow from the first to the second.

    Attributes:
        first: (H, W, 3) uint8 red, green, blue.
        second: The same.
        flow: (H, W, 2) float32 pixels, x then y.
        weight: (H, W) float32: how much a pixel's error counts, 0 where it cannot be seen in the second image.
    """

    first: np.ndarray
    second: np.ndarray
    flow: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class FlowAugmentation:
    """Spread of the changes of a pair, besides where it is cut out and whether it is mirrored.

    Attributes:
        shift: Pixels, standard deviation along each axis, between the places where the two images of every other pair
            are cut out, which is motion of the camera.
        colour: Share by which each channel of both images is made brighter or darker, at most; a tenth of it, of 255,
            is what either image's brightness changes by itself.
        noise: Standard deviation of each value, of 255.

    Raises:
        ValueError: A number is out of its range or not finite.

    Source:
        Dosovitskiy et al. 2015 (FlowNet), section 4.3, which has larger ones, and turns and scales besides.
    """

    shift: float = 4.0
    colour: float = 0.1
    noise: float = 2.0

    def __post_init__(self) -> None:
        check_finite_number("shift", self.shift, 0)
        check_number("colour", self.colour, 0, 0.9)
        check_finite_number("noise", self.noise, 0)


def augmented(
    pair: FlowPair, crop: tuple[int, int], augmentation: FlowAugmentation, rng: np.random.Generator
) -> FlowPair:
    """A crop (height, width) of a pair, mirrored or not, in other colours."""
    shift = np.rint(rng.normal(0, augmentation.shift, 2)).astype(int) * rng.integers(2)
    room = np.array(pair.weight.shape) - np.array(crop)
    corner = rng.integers(room + 1)
    cut = cropped(pair, crop, corner, (corner + shift).clip(0, room))
    cut = mirrored(cut) if rng.random() < 0.5 else cut
    return coloured(cut, augmentation, rng)


def cropped(pair: FlowPair, crop: tuple[int, int], corner: np.ndarray, other: np.ndarray) -> FlowPair:
    """The pair cut out of the first image at `corner`, (row, column), and out of the second at `other`."""
    here, there = (
        tuple(slice(at, at + side) for at, side in zip(start.tolist(), crop, strict=True)) for start in (corner, other)
    )
    flow = pair.flow[here] - (other - corner)[::-1].astype(np.float32)
    return FlowPair(pair.first[here], pair.second[there], flow, pair.weight[here])


def mirrored(pair: FlowPair) -> FlowPair:
    """The pair left to right."""
    flow = pair.flow[:, ::-1] * np.array([-1, 1], np.float32)
    return FlowPair(pair.first[:, ::-1], pair.second[:, ::-1], flow, pair.weight[:, ::-1])


def coloured(pair: FlowPair, augmentation: FlowAugmentation, rng: np.random.Generator) -> FlowPair:
    """The pair with other colours, the same in both images but for a little brightness, and with noise."""
    images = np.stack([pair.first, pair.second]).astype(np.float32)
    spread = augmentation.colour
    images *= rng.uniform(1 - spread, 1 + spread, 3).astype(np.float32)
    images += 25.5 * rng.uniform(-spread, spread, (2, 1, 1, 1)).astype(np.float32)
    images += np.float32(augmentation.noise) * rng.standard_normal(images.shape, np.float32)
    first, second = np.rint(images.clip(0, 255)).astype(np.uint8)
    return FlowPair(first, second, pair.flow, pair.weight)
