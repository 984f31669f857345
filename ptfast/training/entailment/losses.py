"""The loss of pose entailment: cross entropy of two classes."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from ptfast.models.pose_entailment import PoseEntailment
from ptfast.training.entailment.examples import LabelledPairs


class EntailmentLoss(nn.Module):
    """A network and its loss as one module, around which the gradients of several processes are joined.

    Args:
        model: The network.
    """

    def __init__(self, model: PoseEntailment) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: LabelledPairs) -> Tensor:
        """(1,) float32 mean cross entropy of the pairs."""
        return F.cross_entropy(self.model(batch.pairs).float(), batch.labels).unsqueeze(0)
