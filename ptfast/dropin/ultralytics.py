"""ultralytics' kpt_iou, by ptfast.ops.

    from ptfast.dropin.ultralytics import kpt_iou    # instead of: from ultralytics.utils.metrics import kpt_iou

Equal to ultralytics 8.4.190 within rounding. Where they differ, beyond 128 pairs: a term does not fall below exp(-80);
a joint that does not count may be NaN; areas must not be negative; there is no second derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ptfast import _native
from ptfast.ops import oks_matrix

if TYPE_CHECKING:
    import torch

__all__ = ["kpt_iou"]

FEW = 128  # pairs for which a dozen of torch's operations take less time than oks_matrix takes to be called
LARGE = 1e-6  # an eps above this shows in the number of joints that OKS is divided by


def kpt_iou(
    kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigma: Sequence[float], eps: float = 1e-7
) -> torch.Tensor:
    """Object keypoint similarity of annotated with predicted poses, by ptfast.ops.oks_matrix; differentiable.

    Up to 128 pairs are computed in torch, which is quicker there, and so is what oks_matrix does not take: other dtypes
    than one of float32 and float64, shapes that torch would broadcast, areas with a gradient, eps 0.

    Args:
        kpt1: (N, K, 3) x, y, visibility; joints with a visibility of 0 do not count.
        kpt2: (M, K, 2 or more) x, y.
        area: (N,) square pixels of kpt1's.
        sigma: K numbers.
        eps: Added to the area, and to the number of joints that the sum is divided by.

    Returns:
        (N, M) of the inputs' dtype; 0 where no joint counts.
    """
    import torch

    sigmas = torch.as_tensor(sigma, dtype=kpt1.dtype, device=kpt1.device).detach()
    visible = kpt1[..., 2] != 0
    if not _takes(kpt1, kpt2, area, sigmas, eps):
        return _in_torch(kpt1, kpt2, area, sigmas, visible, eps)
    twice = 2 * (area + eps), area.new_zeros(len(kpt2))  # oks_matrix takes the mean of both
    oks = oks_matrix(kpt1[..., :2], kpt2[..., :2], area=twice, sigmas=sigmas, a_visible=visible)
    if eps > LARGE:
        count = visible.sum(-1)[:, None]
        oks = oks * (count / (count + eps))
    return oks


def _takes(kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigmas: torch.Tensor, eps: float) -> bool:
    """Whether oks_matrix takes it, and sooner than torch would."""
    joints = kpt1.shape[1]
    if kpt2.ndim != 3 or kpt2.shape[1] != joints or len(sigmas) != joints or area.shape != kpt1.shape[:1]:
        return False
    if not kpt1.dtype == kpt2.dtype == area.dtype or not kpt1.device == kpt2.device == area.device:
        return False
    floats = kpt1.is_floating_point() and kpt1.dtype.itemsize >= 4 and (_native.with_cuda or not kpt1.is_cuda)
    return floats and eps > 0 and not area.requires_grad and len(kpt1) * len(kpt2) > FEW


def _in_torch(
    kpt1: torch.Tensor, kpt2: torch.Tensor, area: torch.Tensor, sigmas: torch.Tensor, visible: torch.Tensor, eps: float
) -> torch.Tensor:
    offsets = kpt1[:, None, :, :2] - kpt2[..., :2]
    scales = 8 * sigmas.square() * (area[:, None, None] + eps)
    terms = (-offsets.square().sum(-1) / scales).exp() * visible[:, None]
    return terms.sum(-1) / (visible.sum(-1)[:, None] + eps)
