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
        Dosovitskiy et al. 2015 (FlowNet), section 4.4, the endpoint error; its public code for the levels' weights, and
        for the sum over pixels, by which the finest level counts most.
    """

    def __init__(self, model: FlowNet2S) -> None:
        super().__init__()
        self.model = model

    def forward(self, first: Tensor, second: Tensor, flow: Tensor, known: Tensor) -> Tensor:
        """The losses of a batch.

        Args:
            first: (B, 3, H, W) red, green, blue from 0 to 255.
            second: The same.
            flow: (B, H, W, 2) pixels, the true flow.
            known: (B, H, W) bool; other pixels do not count.

        Returns:
            (5,) float32: for each level, finest first, its weight times the sum over its pixels of the endpoint error,
            in units of 20 pixels of the image, mean over the batch.
        """
        truth = flow.permute(0, 3, 1, 2) / FLOW_SCALE
        counts = known[:, None].float()
        found = self.model.flows(first, second)
        return torch.stack([
            weight * endpoint_error(level, truth, counts) for weight, level in zip(WEIGHTS, found, strict=True)
        ])  # fmt: skip


def endpoint_error(found: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """The endpoint error of a level, summed over its pixels, mean over the batch.

    A pixel of the level covers several of the image: the truth is the mean of those that are known, and the error
    counts by their share.

    Args:
        found: (B, 2, h, w).
        truth: (B, 2, H, W), H and W whole multiples of h and w.
        counts: (B, 1, H, W), 1 where the truth is known and 0 elsewhere.

    Returns:
        () the error, in the unit of the flows.
    """
    step = truth.shape[2] // found.shape[2]
    share = F.avg_pool2d(counts, step)
    mean = F.avg_pool2d(truth * counts, step) / share.clamp(min=1 / step**2)
    return (torch.linalg.vector_norm(found - mean, dim=1) * share[:, 0]).sum() / len(found)
