"""Images as networks take them."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast._check import check_shape

Colour = tuple[float, float, float]  # red, green, blue
IMAGE_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGE_STD: Colour = (0.229, 0.224, 0.225)


def normalise_clips(frames: Tensor, *, mean: Colour = IMAGE_MEAN, multiple: int = 1) -> Tensor:
    """Turns clips of images into a network's input.

    Args:
        frames: (B, T, H, W, 3) uint8 red, green, blue.
        mean: Subtracted from shares of 255. The network's own is `model.architecture.image_mean`.
        multiple: Height and width are padded with zeros, at the bottom and on the right, to multiples of this.

    Returns:
        (B, 3, T, H', W') float32 in channels-last memory: shares of 255, less the mean, over ImageNet's standard
        deviation.
    """
    offset = torch.tensor(mean, device=frames.device) * 255
    scale = 1 / (torch.tensor(IMAGE_STD, device=frames.device) * 255)
    clips = (frames.float() - offset) * scale
    height, width = frames.shape[2:4]
    if height % multiple or width % multiple:
        clips = F.pad(clips, (0, 0, 0, -width % multiple, 0, -height % multiple))
    return clips.permute(0, 4, 1, 2, 3)


def check_colour(name: str, colour: Colour) -> None:
    """Raises ValueError unless a colour is three finite numbers."""
    if len(colour) != 3 or not all(map(math.isfinite, colour)):
        raise ValueError(f"{name} must be three numbers, got {colour}")


def check_crops(clips: Tensor, multiple: int) -> None:
    """Raises ValueError unless a pose network can take (B, 3, T, h, w) crops with h and w multiples of `multiple`."""
    check_shape("clips", clips, ("B", 3, "T", "h", "w"))
    height, width = clips.shape[3:]
    if height % multiple or width % multiple or not height * width:
        raise ValueError(f"clips must have a height and a width of multiples of {multiple}, got {height} and {width}")


def check_images(images: Tensor, multiple: int) -> None:
    """Raises ValueError unless a network can take (B, 3, H, W) images with H and W multiples of `multiple`."""
    check_shape("images", images, ("B", 3, "H", "W"))
    height, width = images.shape[2:]
    if height % multiple or width % multiple or not height * width:
        raise ValueError(f"images must have a height and a width of multiples of {multiple}, got {height} and {width}")
