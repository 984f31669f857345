"""The losses of the 3D Mask R-CNN."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.box_coding import PROPOSAL_WEIGHTS, encode_boxes
from ptfast.models.detection import Limits
from ptfast.models.mask_rcnn import MaskRcnn3d
from ptfast.models.proposals import select_proposals
from ptfast.training.mask_rcnn.head_losses import box_head_losses, keypoint_loss, smooth_l1
from ptfast.training.mask_rcnn.sampling import Sampling, sample
from ptfast.training.mask_rcnn.targets import Targets, label_anchors, label_proposals, mostly_ignored

PROPOSAL_BETA = 1 / 9  # where smooth L1 turns from square to linear
LOSSES = ("proposal_class", "proposal_box", "box_class", "box", "keypoint")


class MaskRcnnLoss(nn.Module):
    """A network and its losses as one module, around which the gradients of several processes are joined.

    Args:
        model: The network.
        sampling: The examples of a step.
        limits: Numbers of proposals.

    Source:
        Girdhar et al. 2018 (Detect-and-Track), section 3.1; Ren et al. 2015 and He et al. 2017 for the single losses.
    """

    def __init__(self, model: MaskRcnn3d, sampling: Sampling, limits: Limits) -> None:
        super().__init__()
        self.model, self.sampling, self.limits = model, sampling, limits

    def forward(self, clips: Tensor, targets: list[Targets]) -> Tensor:
        """Losses of a batch.

        Args:
            clips: (B, 3, T, H, W) normalised.
            targets: The people of each clip.

        Returns:
            (5,) float32, in the order of LOSSES.
        """
        features = self.model.features(clips)
        size = clips.shape[-2], clips.shape[-1]
        class_loss, box_loss, proposals = self.proposal_losses(features, targets, size)
        tubes, people, counts = self.sample_proposals(proposals, targets)
        box_losses = box_head_losses(self.model, features, tubes, people, counts, targets)
        positives = [who[: self.sampling.keypoint_tubes] for who in people]
        keypoint = keypoint_loss(self.model, features, tubes, positives, targets)
        return torch.stack([class_loss, box_loss, *box_losses, keypoint])

    def proposal_losses(
        self, features: list[Tensor], targets: list[Targets], size: tuple[int, int]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Class and box loss of the tube proposal network, and its proposals (M, T, 4) for each clip."""
        logits, deltas = self.model.proposals(features)
        levels = self.model.anchors(features)
        anchors = torch.cat(levels)
        all_logits, all_deltas = torch.cat(logits, 1), torch.cat(deltas, 1)
        class_loss, box_loss, seen, proposals = 0.0 * all_logits.sum(), 0.0 * all_deltas.sum(), 0, []
        for clip, target in enumerate(targets):
            labels, person, chosen, rest = self.sample_anchors(anchors, target, all_deltas.shape[2])
            picked = torch.cat([chosen, rest])
            class_loss = class_loss + F.binary_cross_entropy_with_logits(
                all_logits[clip, picked], labels[picked].float(), reduction="sum"
            )
            seen += len(picked)
            wanted = encode_boxes(target.tubes[person[chosen]], anchors[chosen, None], PROPOSAL_WEIGHTS)
            there = target.present[person[chosen]]
            box_loss = box_loss + smooth_l1(all_deltas[clip, chosen], wanted, there, PROPOSAL_BETA)
            found = self.proposals_of(
                [level[clip] for level in logits], [level[clip] for level in deltas], levels, size
            )
            proposals.append(torch.cat([found, target.tubes[target.present.all(1)]]))
        return class_loss / max(1, seen), box_loss / max(1, seen), proposals

    def sample_anchors(self, anchors: Tensor, target: Targets, length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Labels and people of anchors (N, 4) in a clip of `length` frames, and chosen positives and negatives."""
        labels, person = label_anchors(anchors, target.tubes, target.present, self.sampling)
        still = anchors[:, None].expand(-1, length, -1)
        negative = (labels == 0) & ~mostly_ignored(still, target.ignored)
        chosen, rest = sample(labels == 1, negative, self.sampling.anchors, self.sampling.anchor_positives)
        return labels, person, chosen, rest

    @torch.no_grad()
    def proposals_of(
        self, logits: list[Tensor], deltas: list[Tensor], anchors: list[Tensor], size: tuple[int, int]
    ) -> Tensor:
        """Proposals (M, T, 4) of one clip; one entry a level."""
        return select_proposals(
            logits,
            deltas,
            anchors,
            size,
            before=self.limits.proposals_before,
            after=self.limits.proposals_after,
            overlap=self.limits.proposal_overlap,
        )[0]

    def sample_proposals(
        self, proposals: list[Tensor], targets: list[Targets]
    ) -> tuple[list[Tensor], list[Tensor], list[int]]:
        """Tubes (M, T, 4) of each clip for the heads, positives first; the positives' people; and numbers of tubes."""
        tubes, people = [], []
        for found, target in zip(proposals, targets, strict=True):
            covers, person = label_proposals(found, target.tubes, target.present, self.sampling)
            negative = ~covers & ~mostly_ignored(found, target.ignored)
            chosen, rest = sample(covers, negative, self.sampling.proposals, self.sampling.proposal_positives)
            tubes.append(found[torch.cat([chosen, rest])])
            people.append(person[chosen])
        return tubes, people, [len(clip) for clip in tubes]
