"""Running a 3D Mask R-CNN: from clips to people's tubes and heatmaps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ptfast.models.box_coding import BOX_WEIGHTS, clip_boxes, decode_boxes
from ptfast.models.mask_rcnn import MaskRcnn3d
from ptfast.models.proposals import select_proposals
from ptfast.ops import tube_nms

SMALLEST_SIDE = 1e-2  # pixels; smaller tubes are dropped


@dataclass(frozen=True)
class Limits:
    """Numbers of tubes that go from step to step. The defaults are those of Detect-and-Track's released code.

    Attributes:
        proposals_before: Proposals of each level, before suppression.
        proposals_after: Proposals of a clip, after suppression.
        proposal_overlap: Tube IoU above which a proposal yields to a better one.
        min_score: Probability under which a tube is dropped.
        overlap: Tube IoU above which a person yields to a better one.
        max_detections: People of a clip, at most.
    """

    proposals_before: int = 1000
    proposals_after: int = 1000
    proposal_overlap: float = 0.7
    min_score: float = 0.05
    overlap: float = 0.5
    max_detections: int = 100


@dataclass(frozen=True, eq=False)
class Tubes:
    """The people of one clip, best first.

    Attributes:
        boxes: (M, T, 4) xyxy image pixels.
        scores: (M,) probabilities.
        heatmaps: (M, K, T, 56, 56) logits of the joints' places, spread over each frame's box.
    """

    boxes: Tensor
    scores: Tensor
    heatmaps: Tensor


@torch.inference_mode()
def detect(
    model: MaskRcnn3d, clips: Tensor, size: tuple[int, int] | None = None, limits: Limits | None = None
) -> list[Tubes]:
    """People in clips.

    Args:
        model: The network.
        clips: (B, 3, T, H, W) normalised images, padded at the right and below to multiples of the largest stride.
        size: Height and width without the padding, to which boxes are cut. None if there is none.
        limits: Numbers of tubes that go from step to step.

    Returns:
        The people of each of the B clips.
    """
    features = model.features(clips)
    return detect_in_features(model, features, size or (clips.shape[-2], clips.shape[-1]), limits or Limits())


@torch.inference_mode()
def detect_in_features(model: MaskRcnn3d, features: list[Tensor], size: tuple[int, int], limits: Limits) -> list[Tubes]:
    """People in clips, from their features (B, C, T, h, w) of each level. The other arguments are those of `detect`."""
    found = boxes_in_features(model, features, size, limits)
    counts = [len(boxes) for boxes, _ in found]
    boxes = torch.cat([boxes for boxes, _ in found])
    heatmaps = model.heatmaps(features, boxes, batch_indices(counts, boxes.device))
    return [Tubes(boxes, scores, maps) for (boxes, scores), maps in zip(found, heatmaps.split(counts), strict=True)]


@torch.inference_mode()
def boxes_in_features(
    model: MaskRcnn3d, features: list[Tensor], size: tuple[int, int], limits: Limits
) -> list[tuple[Tensor, Tensor]]:
    """People's (M, T, 4) boxes and (M,) scores in each clip, without their joints. Arguments are those of `detect`."""
    return classify(model, features, propose(model, features, size, limits), size, limits)


def propose(model: MaskRcnn3d, features: list[Tensor], size: tuple[int, int], limits: Limits) -> list[Tensor]:
    """(M, T, 4) proposals of each clip."""
    logits, deltas = model.proposals(features)
    anchors = model.anchors(features)
    return [
        select_proposals(
            [level[clip] for level in logits],
            [level[clip] for level in deltas],
            anchors,
            size,
            before=limits.proposals_before,
            after=limits.proposals_after,
            overlap=limits.proposal_overlap,
        )[0]
        for clip in range(len(logits[0]))
    ]


def classify(
    model: MaskRcnn3d, features: list[Tensor], proposals: list[Tensor], size: tuple[int, int], limits: Limits
) -> list[tuple[Tensor, Tensor]]:
    """(M, T, 4) boxes and (M,) scores of the people of each clip, best first."""
    counts = [len(tubes) for tubes in proposals]
    tubes = torch.cat(proposals)
    logits, deltas = model.boxes(features, tubes, batch_indices(counts, tubes.device))
    boxes = clip_boxes(decode_boxes(deltas, tubes, BOX_WEIGHTS), size)
    scores = logits.softmax(1)[:, 1]
    return [
        suppress(clip_boxes_, clip_scores, limits)
        for clip_boxes_, clip_scores in zip(boxes.split(counts), scores.split(counts), strict=True)
    ]


def suppress(boxes: Tensor, scores: Tensor, limits: Limits) -> tuple[Tensor, Tensor]:
    """The tubes (M, T, 4) and scores (M,) that are good enough, large enough and no duplicates."""
    sides = boxes[..., 2:] - boxes[..., :2]
    good = (scores > limits.min_score) & (sides >= SMALLEST_SIDE).flatten(1).all(1)
    boxes, scores = boxes[good], scores[good]
    kept = tube_nms(boxes, scores, limits.overlap)[: limits.max_detections]
    return boxes[kept], scores[kept]


def batch_indices(counts: list[int], device: torch.device) -> Tensor:
    """(sum(counts),) the clip of each tube."""
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)).to(device)
