"""Arguments of the Numba kernels: contiguous float64 arrays of numbers whose squares and sums are finite."""

from __future__ import annotations

import numpy as np

from ptfast._check import Array, as_floats, check_finite, check_shape, format_shape
from ptfast._columns import on_host

LARGEST, SMALLEST = 1e100, 1e-100  # squares of numbers between them, and sums of products, are finite and not 0


def as_reals(name: str, array: Array, pattern: tuple[int | str, ...], **sizes: int) -> np.ndarray:
    """A contiguous float64 array with the values of `array`, which may be NumPy or torch, of floats or integers.

    It is the array itself where nothing has to change.

    Args:
        name: The argument's name in messages.
        array: The numbers.
        pattern: Their shape, as `check_shape` takes it.
        **sizes: Sizes that names of the pattern must have.

    Raises:
        ValueError: The shape is wrong, or a number is not finite or larger than 1e100 in size.
    """
    values = np.require(as_floats(name, on_host(array)).astype(np.float64, copy=False), None, ["C", "A", "W"])
    check_shape(name, values, pattern, **sizes)
    if not (np.abs(values) <= LARGEST).all():
        check_finite(name, values)
        position = tuple(int(i) for i in np.argwhere(np.abs(values) > LARGEST)[0])
        shown = f"got {values[position]} at {format_shape(position)}"
        raise ValueError(f"{name} must lie between -{LARGEST} and {LARGEST}, {shown}")
    return values
