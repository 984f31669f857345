"""OKS sigmas that callers give: one a joint, or one for all."""

from __future__ import annotations

import numpy as np


def joint_sigmas(sigmas: np.ndarray, joints: int) -> np.ndarray:
    """(K,) sigmas of K joints.

    Args:
        sigmas: (K,), or (1,) or a number for all joints.
        joints: K.

    Raises:
        ValueError: There are more or fewer.
    """
    try:
        return np.broadcast_to(sigmas, (joints,))
    except ValueError:
        found = np.shape(sigmas)
        raise ValueError(f"sigmas must be one for each of {joints} joints, {found} cannot be broadcast") from None
