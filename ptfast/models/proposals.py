"""Tube proposal network: places of people in a clip."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.box_coding import PROPOSAL_WEIGHTS, clip_boxes, decode_boxes
from ptfast.models.layers import ClipConv
from ptfast.ops import tube_nms

SMALLEST_SIDE = 1e-3  # pixels; smaller proposals are dropped


class TubeProposalNetwork(nn.Module):
    """Scores and regresses A tube anchors at every position: boxes that stand still for T frames.

    A convolution slides over the clip's features. One 1x1x1 convolution after it gives an anchor's logit in every
    frame, whose mean is the tube's. Another gives the frame's four shifts of the anchor, together 4T numbers. A tube's
    probability is sigmoid(logit), the softmax of the two classes with the background's logit at 0.

    Args:
        channels: Channels of the features, on every level.
        anchors: A, anchors a position.
        temporal_kernel: Temporal size of the sliding convolution, odd; 1 gives the 2D network.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1; that the class is the mean over time is its released code.
    """

    def __init__(self, channels: int, anchors: int, *, temporal_kernel: int) -> None:
        super().__init__()
        self.conv = ClipConv(channels, channels, 3, temporal_kernel=temporal_kernel, bias=True)
        self.cls_logits = ClipConv(channels, anchors, 1, temporal_kernel=1, bias=True)
        self.bbox_pred = ClipConv(channels, 4 * anchors, 1, temporal_kernel=1, bias=True)
        for layer in (self.conv, self.cls_logits, self.bbox_pred):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Logits and shifts on every level.

        Args:
            features: (B, channels, T, H, W) of each level.

        Returns:
            Logits (B, H * W * A) and shifts (B, H * W * A, T, 4) of each level, float32, in the order of
            `grid_anchors`.
        """
        logits, deltas = [], []
        for level in features:
            inner = F.relu(self.conv(level))
            logits.append(self.cls_logits(inner).float().mean(2).permute(0, 2, 3, 1).flatten(1))
            shifts = self.bbox_pred(inner).float().unflatten(1, (-1, 4))  # (B, A, 4, T, H, W)
            deltas.append(shifts.permute(0, 4, 5, 1, 3, 2).flatten(1, 3))
        return logits, deltas


def select_proposals(
    logits: list[Tensor],
    deltas: list[Tensor],
    anchors: list[Tensor],
    size: tuple[int, int],
    *,
    before: int,
    after: int,
    overlap: float = 0.7,
) -> tuple[Tensor, Tensor]:
    """The best tubes of one clip, without near duplicates.

    Args:
        logits: (n,) of each level's anchors.
        deltas: (n, T, 4) shifts.
        anchors: (n, 4) xyxy.
        size: Height and width of the image, to which tubes are cut.
        before: Tubes of each level that go into suppression, best first.
        after: Tubes that are kept of all levels together.
        overlap: IoU, the mean over the frames, above which a tube yields to a better one of its level.

    Returns:
        (M, T, 4) tubes and (M,) logits, best first.
    """
    tubes, scores = [], []
    for level_logits, level_deltas, level_anchors in zip(logits, deltas, anchors, strict=True):
        best, index = level_logits.topk(min(before, len(level_logits)))
        decoded = decode_boxes(level_deltas[index], level_anchors[index, None], PROPOSAL_WEIGHTS)
        decoded = clip_boxes(decoded, size)
        sides = decoded[..., 2:] - decoded[..., :2]
        large = (sides >= SMALLEST_SIDE).flatten(1).all(1)
        decoded, best = decoded[large], best[large]
        kept = tube_nms(decoded, best, overlap)
        tubes.append(decoded[kept])
        scores.append(best[kept])
    merged = torch.cat(scores)
    best, index = merged.topk(min(after, len(merged)))
    return torch.cat(tubes)[index], best
