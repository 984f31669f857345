"""The loss of pose networks: squared differences of heatmaps."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

REACH = 3  # of a target about its joint, in standard deviations

Outside = Literal["empty", "ignored"]


class PoseLoss(nn.Module):
    """A pose network and its loss as one module, around which the gradients of several processes are joined.

    Args:
        model: The network, from tubes of crops (N, 3, T, h, w) to heatmaps (N, K, T, H, W).
        sigma: Of the targets, in heatmap pixels.
        outside: Target of joints that are known to be outside the crop, or not there at all: an "empty" heatmap, or
            none, as they are "ignored".

    Source:
        Sun et al. 2019 (HRNet), section 4.1, and its public code; Wang et al. 2020 (Combining detection and tracking),
        section 3.1, whose network "should not output any prediction" where the person is not in the crop: "empty".
    """

    def __init__(self, model: nn.Module, sigma: float, outside: Outside) -> None:
        super().__init__()
        self.model, self.sigma, self.outside = model, sigma, outside

    def forward(self, crops: Tensor, keypoints: Tensor, labelled: Tensor, known: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            crops: (N, 3, T, h, w) normalised.
            keypoints: (N, T, K, 2) pixels of the crops.
            labelled: (N, T, K) bool: there is a joint.
            known: (N, T, K) bool: it is known that there is a joint or that there is none; others do not count.

        Returns:
            (1,) float32: half the squared difference from the target, mean over all pixels, joints, frames and tubes,
            of which those that do not count are 0.
        """
        heatmaps = self.model(crops).float()
        height, width = heatmaps.shape[-2:]
        targets = heatmap_targets(keypoints * (width / crops.shape[-1]), labelled, (height, width), self.sigma)
        counts = known.transpose(1, 2)
        if self.outside == "ignored":
            counts = counts & (targets.amax((3, 4)) > 0)
        squares = (heatmaps - targets).square().mean((3, 4))
        return 0.5 * (squares * counts).mean().unsqueeze(0)


def heatmap_targets(keypoints: Tensor, labelled: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Heatmaps with a Gaussian of height 1 about the pixel that is nearest to each joint, cut at three sigma.

    A joint outside has the part of its Gaussian that reaches inside, if any.

    Args:
        keypoints: (N, T, K, 2) heatmap pixels.
        labelled: (N, T, K) bool; the heatmaps of others are empty.
        size: (height, width) of the heatmaps.
        sigma: Standard deviation in pixels.

    Returns:
        (N, K, T, height, width) float32.

    Source:
        Sun et al. 2019 (HRNet), its public code: the nearest pixel is int(x + 0.5).
    """
    centres = (keypoints.transpose(1, 2) + 0.5).trunc()
    rows, columns = (profile(centres[..., axis], length, sigma) for axis, length in ((1, size[0]), (0, size[1])))
    return rows[..., :, None] * (columns * labelled.transpose(1, 2)[..., None])[..., None, :]


def profile(centres: Tensor, length: int, sigma: float) -> Tensor:
    """Gaussians (..., length) along one axis about each of centres (...)."""
    distance = torch.arange(length, device=centres.device) - centres[..., None]
    return torch.exp(-distance.square() / (2 * sigma**2)) * (distance.abs() <= REACH * sigma)
