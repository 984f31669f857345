"""The loss of FlowNet2-S: distances from the true flow at all of its levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models import FlowNet2S
from ptfast.models.flownet import FLOW_SCALE

WEIGHTS = (0.005, 0.01, 0.02, 0.08, 0.32)  # of the levels, finest first
LEVELS = ("flow2", "flow3", "flow4", "flow5", "flow6")  # their names; a pixel of flow2 is 2^2 of the image's


class FlowLoss(nn.Module):
    """A network and its loss as one module, around which the gradients of several processes are joined.

    Args:
        model: The network.

    Source:
        Dosovitskiy et al. 2015 (FlowNet), the endpoint error; its public code for the levels' weights, and
        for the sum over pixels, by which the finest level counts most.
    """

    def __init__(self, model: FlowNet2S) -> None:
        super().__init__()
        self.model = model

    def forward(self, first: Tensor, second: Tensor, flow: Tensor, weight: Tensor) -> Tensor:
        """The losses of a batch.

        Args:
            first: (B, 3, H, W) red, green, blue from 0 to 255.
            second: The same.
            flow: (B, H, W, 2) pixels, the true flow.
            weight: (B, H, W) how much each pixel counts, 0 or at least 1.

        Returns:
            (5,) float32: for each level, finest first, its weight times the weighted sum over its pixels of the
            endpoint error, in units of 20 pixels of the image, mean over the batch.
        """
        truth = flow.permute(0, 3, 1, 2) / FLOW_SCALE
        counts = weight[:, None].float()
        found = self.model.flows(first, second)
        return torch.stack([
            factor * endpoint_error(level, truth, counts) for factor, level in zip(WEIGHTS, found, strict=True)
        ])  # fmt: skip


def endpoint_error(found: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """The endpoint error of a level, summed over its pixels, mean over the batch.

    A pixel of the level covers several of the image: its truth is their weighted mean, and it counts as much as they do
    on average.

    Args:
        found: (B, 2, h, w).
        truth: (B, 2, H, W), H and W whole multiples of h and w.
        counts: (B, 1, H, W), how much each pixel counts: 0 or at least 1.

    Returns:
        () the error, in the unit of the flows.
    """
    step = truth.shape[2] // found.shape[2]
    share = F.avg_pool2d(counts, step)
    mean = F.avg_pool2d(truth * counts, step) / share.clamp(min=1 / step**2)
    return (torch.linalg.vector_norm(found - mean, dim=1) * share[:, 0]).sum() / len(found)
