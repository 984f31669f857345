"""KeyTrack's network: does one pose follow from another, that is, are they the same person a few frames apart?"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from ptfast.models.entailment_architecture import PoseEntailmentArchitecture
from ptfast.models.entailment_layers import EntailmentLayer
from ptfast.models.pair_columns import PairColumns
from ptfast.models.pose_pairs import PosePairs
from ptfast.models.pose_tokens import TokenEmbedding
from ptfast.skeletons import POSETRACK_15, Skeleton
from ptfast.structures import Poses

CHUNK = 128  # pairs whose activations stay in a processor's cache
_NOBODY_LOOKS = -10000.0  # added to the attention's logits, as BERT does; finite, so that a row without joints is none


class PoseEntailment(nn.Module):
    """Gives the probability that two poses of different frames are the same person, from their joints alone.

    Each joint of both poses is a token, the sum of embeddings of its place, its type and its pose's distance in time.
    Transformer layers follow, in which nothing looks at absent joints, then a pooler on the first token, the first
    joint of the current pose, and two classes: 0 for different people, 1 for the same.

    Args:
        architecture: Its tokens and layers; None takes the paper's.
        skeleton: The K joints that it reads, of people, animals or hands.

    Source:
        Snower et al. 2020 (KeyTrack), section 3.2; sizes from the supplement's A.5.
    """

    def __init__(
        self, architecture: PoseEntailmentArchitecture | None = None, skeleton: Skeleton = POSETRACK_15
    ) -> None:
        super().__init__()
        self.architecture = sizes = architecture or PoseEntailmentArchitecture.paper()
        self.skeleton = skeleton
        self.embedding = TokenEmbedding(sizes, len(skeleton))
        options = (sizes.hidden, sizes.heads, sizes.intermediate, sizes.dropout, sizes.projection)
        self.layers = nn.ModuleList(EntailmentLayer(*options) for _ in range(sizes.layers))
        self.pooler = nn.Linear(sizes.hidden, sizes.hidden)
        self.dropout = nn.Dropout(sizes.dropout)
        self.classifier = nn.Linear(sizes.hidden, 2)
        self.apply(_initialise)

    @property
    def _first_layer(self) -> EntailmentLayer:
        """The layer that reads embedded tokens."""
        return cast(EntailmentLayer, self.layers[0])

    @property
    def delta(self) -> int:
        """Frames that the poses of a pair may be apart."""
        return self.architecture.delta

    def forward(self, pairs: PosePairs) -> Tensor:
        """(P, 2) logits of P pairs: different people, the same person."""
        tokens = self.embedding(pairs)
        return self.classify(tokens, self._first_layer.project(tokens), self.embedding.there(pairs))

    def classify(self, tokens: Tensor, projected: Tensor, visible: Tensor) -> Tensor:
        """Logits from embedded tokens on.

        Args:
            tokens: (P, L, H); L is 2 K, or K where a token is of both poses.
            projected: (P, L, 3 H) the first layer's queries, keys and values of them.
            visible: (P, L) bool.

        Returns:
            (P, 2).
        """
        bias = _attention_bias(visible)
        last = len(self.layers) - 1
        for number, each in enumerate(self.layers):
            layer = cast(EntailmentLayer, each)
            if number:
                projected = layer.project(tokens)
            tokens = layer(tokens, projected, bias, first_alone=number == last)
        return self.classifier(self.dropout(torch.tanh(self.pooler(tokens[:, 0]))))

    @torch.no_grad()
    def attention(self, pairs: PosePairs) -> list[Tensor]:
        """Attention of every layer, (P, heads, L, L) each, of L tokens: to whom (last axis) each looks; figure 8."""
        tokens, bias, maps = self.embedding(pairs), _attention_bias(self.embedding.there(pairs)), []
        for each in self.layers:
            layer = cast(EntailmentLayer, each)
            projected = layer.project(tokens)
            maps.append(layer.attention(projected, bias))
            tokens = layer(tokens, projected, bias)
        return maps

    @torch.inference_mode()
    def match_scores(
        self,
        earlier: Poses,
        current: Poses,
        pairs: np.ndarray,
        frames_apart: np.ndarray,
        *,
        shifts: np.ndarray | None = None,
        bfloat16: bool = False,
    ) -> np.ndarray:
        """Probabilities that pairs of poses are the same person.

        What depends on a pose alone, and not on the pair, is computed once a pose and distance in time where positions
        are cells of the image: tokens, embeddings, and the first layer's queries, keys and values. Coordinates that are
        relative to the pair leave nothing to share.

        Args:
            earlier: Poses of any number of frames.
            current: Poses of any number of frames.
            pairs: (P, 2) int64 rows of `earlier` and of `current`.
            frames_apart: (P,) int64 frames from the one to the other, 1 to delta.
            shifts: (P, 2) pixels that each earlier pose is moved by before: the camera's shift, or the way to where a
                track should be by now; zeros move nothing. If None, poses stay too, unless the architecture has
                camera_shift: then the pairs whose current poses share a frame and whose frames_apart are the same give
                their common shift, for which all pairs of a frame belong into one call.
            bfloat16: Compute in bfloat16, which is faster on processors that multiply it.

        Returns:
            (P,) float32.

        Raises:
            ValueError: The poses have other joints than the network, frames_apart is out of its range, rows do not
                exist, a joint's place is not finite, or frame_size is missing where the network reads it.
        """
        device = next(self.parameters()).device
        columns = PairColumns(self.architecture, self.skeleton, earlier, current, pairs, frames_apart, shifts)
        scores = np.empty(len(columns.pairs), np.float32)
        training = self.training
        self.eval()
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                for start in range(0, len(scores), CHUNK):
                    rows = slice(start, start + CHUNK)
                    logits = self._logits(columns, rows, device).float()
                    scores[rows] = torch.softmax(logits, 1)[:, 1].cpu().numpy()
        finally:
            self.train(training)
        return scores

    def _logits(self, columns: PairColumns, rows: slice, device: torch.device) -> Tensor:
        """(R, 2) logits of some pairs, with the work of each pose done once where that is exact."""
        if not self.architecture.shares_poses or columns.shifts is not None:
            return self(columns.some(rows).to(device))
        poses, index = columns.distinct(rows)
        poses = poses.to(device)
        tokens = self.embedding(poses)
        projected, visible = self._first_layer.project(tokens), poses.visible[:, 0]
        both = torch.from_numpy(index).to(device)
        return self.classify(*(part[both].flatten(1, 2) for part in (tokens, projected, visible)))


def _attention_bias(visible: Tensor) -> Tensor:
    """(P, 1, 1, L) float32 of tokens (P, L) that exist or not."""
    return torch.where(visible, 0.0, _NOBODY_LOOKS)[:, None, None]


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02) for the weights of linear layers and embeddings, 0 for biases (A.5, as BERT)."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
