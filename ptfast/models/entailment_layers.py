"""Transformer layers of the pose entailment network, as BERT's, with or without an output projection."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class EntailmentLayer(nn.Module):
    """Multi-headed self-attention and two linear layers, each followed by dropout, a residual sum and a layer norm.

    Args:
        hidden: H, width of the tokens.
        heads: A number that divides H.
        intermediate: Width between the two linear layers.
        dropout: Probability.
        projection: A linear layer between the attention's context and the residual sum. The paper's table 5 has none.

    Source:
        Snower et al. 2020 (KeyTrack), section 3.2, equation 4, and the supplement's A.5, table 5.
    """

    def __init__(self, hidden: int, heads: int, intermediate: int, dropout: float, projection: bool) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.project = nn.Linear(hidden, 3 * hidden)
        self.output = nn.Linear(hidden, hidden) if projection else nn.Identity()
        self.attention_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.widen, self.narrow = nn.Linear(hidden, intermediate), nn.Linear(intermediate, hidden)
        self.norm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, tokens: Tensor, projected: Tensor, bias: Tensor, first_alone: bool = False) -> Tensor:
        """The tokens after the layer.

        Args:
            tokens: (P, L, H).
            projected: (P, L, 3 H) queries, keys and values, `project` of the tokens.
            bias: (P, 1, 1, L) what is added to the attention's logits: 0, and a large negative number where nobody
                should look.
            first_alone: Compute the first token alone.

        Returns:
            (P, L, H), or (P, 1, H).
        """
        queries, keys, values = self.split(projected)
        if first_alone:
            tokens, queries = tokens[:, :1], queries[:, :, :1]
        dropped = self.dropout if self.training else 0.0
        context = F.scaled_dot_product_attention(queries, keys, values, bias.to(queries.dtype), dropped)
        context = self.output(context.transpose(1, 2).flatten(2))
        tokens = self.attention_norm(tokens + F.dropout(context, self.dropout, self.training))
        changed = self.narrow(F.gelu(self.widen(tokens)))
        return self.norm(tokens + F.dropout(changed, self.dropout, self.training))

    def attention(self, projected: Tensor, bias: Tensor) -> Tensor:
        """(P, heads, L, L) attention of each token, whose row sums to 1, to all tokens."""
        queries, keys, _ = self.split(projected)
        logits = queries @ keys.transpose(2, 3) / queries.shape[-1] ** 0.5
        return torch.softmax(logits + bias, -1)

    def split(self, projected: Tensor) -> list[Tensor]:
        """Queries, keys and values (P, heads, L, H / heads) of (P, L, 3 H)."""
        pairs, length, _ = projected.shape
        parts = projected.view(pairs, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return list(parts.unbind(0))
