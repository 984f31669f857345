"""Arguments of the Numba kernels: contiguous float64 arrays of finite numbers."""

from __future__ import annotations

import numpy as np

from ptfast._check import Array, as_floats, check_finite, check_shape
from ptfast._columns import on_host


def as_reals(name: str, array: Array, pattern: tuple[int | str, ...], **sizes: int) -> np.ndarray:
    """A contiguous float64 array with the values of `array`, which may be NumPy or torch, of floats or integers.

    It is the array itself where nothing has to change.

    Args:
        name: The argument's name in messages.
        array: The numbers.
        pattern: Their shape, as `check_shape` takes it.
        **sizes: Sizes that names of the pattern must have.

    Raises:
        ValueError: The shape is wrong or a number is not finite.
    """
    values = np.require(as_floats(name, on_host(array)).astype(np.float64, copy=False), None, ["C", "A", "W"])
    check_shape(name, values, pattern, **sizes)
    check_finite(name, values)
    return values
