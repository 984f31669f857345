"""The losses of the 3D Mask R-CNN's heads, on tubes that were sampled."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ptfast.models.box_coding import BOX_WEIGHTS, encode_boxes
from ptfast.models.detection import batch_indices
from ptfast.models.mask_rcnn import MaskRcnn3d
from ptfast.training.mask_rcnn.targets import Targets, keypoint_targets

BETA = 1.0  # where smooth L1 turns from square to linear


def box_head_losses(
    model: MaskRcnn3d,
    features: list[Tensor],
    tubes: list[Tensor],
    people: list[Tensor],
    counts: list[int],
    targets: list[Targets],
) -> tuple[Tensor, Tensor]:
    """Class and box loss of the box head.

    Args:
        model: The network.
        features: Of every level.
        tubes: (M, T, 4) of each clip, positives first.
        people: (P,) for each clip the people that its positives stand for.
        counts: M of each clip.
        targets: The people of each clip.
    """
    together = torch.cat(tubes)
    logits, deltas = model.boxes(features, together, batch_indices(counts, together.device))
    labels = torch.cat([
        (torch.arange(count, device=together.device) < len(who)).long()
        for count, who in zip(counts, people, strict=True)
    ])  # fmt: skip
    class_loss = F.cross_entropy(logits, labels, reduction="sum") / max(1, len(labels))
    positive = labels == 1
    goals = torch.cat([target.tubes[who] for target, who in zip(targets, people, strict=True)])
    there = torch.cat([target.present[who] for target, who in zip(targets, people, strict=True)])
    wanted = encode_boxes(goals, together[positive], BOX_WEIGHTS)
    return class_loss, smooth_l1(deltas[positive], wanted, there, BETA) / max(1, len(labels))


def keypoint_loss(
    model: MaskRcnn3d, features: list[Tensor], tubes: list[Tensor], people: list[Tensor], targets: list[Targets]
) -> Tensor:
    """Spatial softmax loss: cross entropy over all pixels of a joint's heatmap, mean over the joints.

    Arguments as in `box_head_losses`; only as many positives of a clip are taken as it has `people`.
    """
    boxes = torch.cat([clip[: len(who)] for clip, who in zip(tubes, people, strict=True)])
    heatmaps = model.heatmaps(features, boxes, batch_indices([len(who) for who in people], boxes.device))
    keypoints = torch.cat([target.keypoints[who] for target, who in zip(targets, people, strict=True)])
    labelled = torch.cat([target.labelled[who] for target, who in zip(targets, people, strict=True)])
    index, inside = keypoint_targets(keypoints, labelled, boxes, heatmaps.shape[-1])
    chosen = heatmaps.flatten(3)[inside]
    return F.cross_entropy(chosen, index[inside], reduction="sum") / max(1, len(chosen)) + 0.0 * heatmaps.sum()


def smooth_l1(deltas: Tensor, wanted: Tensor, present: Tensor, beta: float) -> Tensor:
    """Sum over tubes of the mean over frames: the 1 / T of the paper keeps it comparable with the 2D model's.

    Args:
        deltas: (M, T, 4).
        wanted: (M, T, 4).
        present: (M, T) bool; frames without the person count 0.
        beta: Where square turns to linear.
    """
    loss = F.smooth_l1_loss(deltas, wanted, beta=beta, reduction="none").sum(-1)
    return (loss * present).sum() / max(1, deltas.shape[1])
