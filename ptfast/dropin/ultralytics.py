"""ultralytics' kpt_iou, by ptfast.ops.

    from ptfast.dropin.ultralytics import kpt_iou    # instead of: from ultralytics.utils.metrics import kpt_iou

Equal to ultralytics 8.4.190 within rounding. On the CPU without a gradient or of more than 1,000 pairs, and on a GPU of
more than 128, four things differ. A term does not fall below exp(-80). A joint that does not count may be NaN. Areas
must not be negative. There is no second derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ptfast import _native
from ptfast._check import Array
from ptfast.ops import oks_matrix

if TYPE_CHECKING:
    import torch

__all__ = ["kpt_iou"]

# Pairs for which a dozen of torch's operations take less time than oks_matrix takes to be called on tensors, and to be
# called with a gradient on the CPU.
FEW, FEW_WITH_GRADIENT = 128, 1000
LARGE = 1e-6  # an eps above this shows in the number of joints that OKS is divided by


def kpt_iou(
    kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigma: Sequence[float], eps: float = 1e-7
) -> torch.Tensor:
    """Object keypoint similarity of annotated with predicted poses, by ptfast.ops.oks_matrix; differentiable.

    Problems that are quicker in torch are computed there: on the CPU up to 1,000 pairs that need a gradient, on a GPU
    up to 128 pairs. So are those that oks_matrix does not take: other dtypes than one of float32 and float64, shapes
    that torch would broadcast, areas with a gradient, eps 0.

    Args:
        kpt1: (N, K, 3) x, y, visibility. Joints with a visibility of 0 do not count.
        kpt2: (M, K, 2 or more) x, y.
        area: (N,) square pixels of kpt1's.
        sigma: K numbers.
        eps: Added to the area, and to the number of joints that the sum is divided by.

    Returns:
        (N, M) of the inputs' dtype; 0 where no joint counts.
    """
    import torch

    sigmas = torch.as_tensor(sigma, dtype=kpt1.dtype, device=kpt1.device).detach()
    gradient = torch.is_grad_enabled() and (kpt1.requires_grad or kpt2.requires_grad or area.requires_grad)
    traced = torch.compiler.is_compiling() or type(kpt1) is not torch.Tensor
    pairs = len(kpt1) * len(kpt2)
    if not pairs or not _takes(kpt1, kpt2, area, sigmas, eps):
        return _in_torch(kpt1, kpt2, area, sigmas, eps)
    if kpt1.is_cpu and not gradient and not traced:  # NumPy's way into oks_matrix is the quicker one
        truth, found, areas, spreads = (x.detach().numpy() for x in (kpt1, kpt2, area, sigmas))
        return torch.from_numpy(_oks(truth, found, areas, spreads, eps, np.zeros))
    if area.requires_grad or pairs <= (FEW_WITH_GRADIENT if kpt1.is_cpu and gradient else FEW):
        return _in_torch(kpt1, kpt2, area, sigmas, eps)
    return _oks(kpt1, kpt2, area, sigmas, eps, area.new_zeros)


def _takes(kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigmas: torch.Tensor, eps: float) -> bool:
    """Tells whether oks_matrix takes it."""
    joints = kpt1.shape[1]
    if kpt2.ndim != 3 or kpt2.shape[1] != joints or len(sigmas) != joints or area.shape != kpt1.shape[:1]:
        return False
    if not kpt1.dtype == kpt2.dtype == area.dtype or not kpt1.device == kpt2.device == area.device:
        return False
    return kpt1.is_floating_point() and kpt1.dtype.itemsize >= 4 and (_native.with_cuda or not kpt1.is_cuda) and eps > 0


def _oks(kpt1: Array, kpt2: Array, area: Array, sigmas: Array, eps: float, zeros: Callable[..., Array]) -> Array:
    """OKS of arrays or tensors, by oks_matrix."""
    visible = kpt1[..., 2] != 0
    twice = 2 * (area + eps), zeros(len(kpt2), dtype=area.dtype)  # oks_matrix takes the mean of both
    oks = oks_matrix(kpt1[..., :2], kpt2[..., :2], area=twice, sigmas=sigmas, a_visible=visible)
    if eps > LARGE:
        count = visible.sum(-1)[:, None]
        oks *= count / (count + eps)
    return oks


def _in_torch(
    kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigmas: torch.Tensor, eps: float
) -> torch.Tensor:
    across, down = kpt1[:, None, :, 0] - kpt2[..., 0], kpt1[:, None, :, 1] - kpt2[..., 1]
    visible = kpt1[..., 2] != 0
    scales = -8 * sigmas.square() * (area[:, None, None] + eps)
    # in place, but where a gradient needs what was there
    terms = (across.square().add_(down.square()) / scales).exp_() * visible[:, None]
    return terms.sum(-1) / (visible.sum(-1)[:, None] + eps)
