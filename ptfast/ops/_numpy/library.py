"""Helpers of all NumPy paths: addresses and masks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ptfast import _native


def addresses(arrays: Iterable[np.ndarray | None]) -> list[int]:
    """Addresses of contiguous arrays, 0 for None. The caller holds the arrays in locals through the native call."""
    return [*map(_native.address, arrays)]


def as_mask(array: np.ndarray | None) -> np.ndarray | None:
    """A contiguous uint8 array, 1 where `array` is not zero."""
    return None if array is None else np.ascontiguousarray(np.not_equal(array, 0), np.uint8)
