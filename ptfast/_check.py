"""Shape, dtype and value checks with one form of message, for NumPy arrays and torch tensors alike."""

from __future__ import annotations

import numbers
import operator
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from typing_extensions import TypeIs

# A numpy.ndarray or a torch.Tensor. Type checkers take it for Any: of the union, each use of what only one of the two
# has, and each call after a test of another argument, would be an error.
Array = Any
# The kind of array that a function takes and gives back. The names are resolved by type checkers alone.
ArrayT = TypeVar("ArrayT", "np.ndarray", "torch.Tensor")
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def is_tensor(value: object) -> TypeIs[torch.Tensor]:
    """Returns True for a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def format_shape(shape: tuple[object, ...]) -> str:
    """Writes a shape or a pattern as Python would: (3,), (N, K, 2)."""
    inside = ", ".join(str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def check_shape(name: str, array: Array, pattern: tuple[int | str, ...], **sizes: int) -> None:
    """Raises ValueError unless `array` has the shape that `pattern` describes.

    Args:
        name: The argument's name in the message.
        array: NumPy array or torch tensor.
        pattern: One entry a dimension. An int is exact, a name is free unless `sizes` gives it, and a leading "..."
            allows any number of batch dimensions.
        **sizes: Sizes that names of the pattern must have.
    """
    shape = shape_of(name, array)
    batched = pattern[:1] == ("...",)
    extra = len(shape) - len(pattern) + batched
    if extra == 0 or (batched and extra > 0):
        for axis in range(batched - len(pattern), 0):
            size = pattern[axis]
            wanted = sizes.get(size) if isinstance(size, str) else size
            if wanted is not None and wanted != shape[axis]:
                break
        else:
            return
    known = ", ".join(f"{key} = {value}" for key, value in sizes.items() if key in pattern)
    expected = format_shape(pattern) + (f" with {known}" if known else "")
    raise ValueError(f"{name} must have shape {expected}, got {format_shape(tuple(shape))}")


def shape_of(name: str, array: Array) -> tuple[int, ...]:
    """Returns the array's shape. Raises TypeError for anything but a NumPy array or torch tensor."""
    try:
        return array.shape
    except AttributeError:
        raise TypeError(f"{name} must be a NumPy array or torch tensor, got {type(array).__name__}") from None


def is_integral(array: Array) -> bool:
    """Returns True for a dtype of integers."""
    if is_tensor(array):
        return not (array.is_floating_point() or array.is_complex() or array.dtype == sys.modules["torch"].bool)
    return array.dtype.kind in "iu"


def check_dtype(name: str, array: Array, allowed: tuple[str, ...]) -> None:
    """Raises TypeError unless the array's dtype is one of `allowed`, e.g. ("float32", "float64")."""
    got = str(array.dtype).removeprefix("torch.")
    if got not in allowed:
        raise TypeError(f"{name} must have dtype {' or '.join(allowed)}, got {got}")


def check_finite(name: str, array: np.ndarray) -> None:
    """Raises ValueError with the first position of a NaN or an infinity."""
    bad = ~np.isfinite(array)
    if bad.any():
        position = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name} must be finite, got {array[position]} at {format_shape(position)}")


def check_offsets(
    name: str, offsets: np.ndarray, count: int, noun: str | None = "rows", *, length: str = "B + 1"
) -> None:
    """Raises ValueError unless int64 offsets rise from 0 to `count`.

    Neighbours are compared, not subtracted: a difference of two int64 may wrap around.

    Args:
        name: The argument's name in the message.
        offsets: (B + 1,) int64.
        count: The number of rows that the offsets divide.
        noun: Name of the rows in the message, or None to leave it out.
        length: Pattern of the shape in the message.
    """
    check_shape(name, offsets, (length,))
    if not offsets.size or offsets[0] != 0 or offsets[-1] != count or (offsets[1:] < offsets[:-1]).any():
        shown = np.array2string(offsets, threshold=8, separator=", ")
        counted = "" if noun is None else f", the number of {noun}"
        raise ValueError(f"{name} must rise from 0 to {count}{counted}, got {shown}")


def check_index(name: str, index: np.ndarray, count: int, noun: str) -> None:
    """Raises ValueError with the first position of an index that is negative or not below `count`.

    Args:
        name: The argument's name in the message.
        index: Integers of any shape.
        count: The number of things that are indexed.
        noun: Meaning of `count` in the message, e.g. "the number of frames".
    """
    if index.size and not 0 <= index.min() <= index.max() < count:
        position = tuple(int(i) for i in np.argwhere((index < 0) | (index >= count))[0])
        got = f"got {index[position]} at {format_shape(position)}"
        raise ValueError(f"{name} must be at least 0 and below {count}, {noun}, {got}")


def check_number(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises TypeError unless `value` is a number, ValueError unless low <= value <= high."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not low <= value <= high:
        limit = f"at least {low}" if high == float("inf") else f"between {low} and {high}"
        raise ValueError(f"{name} must be {limit}, got {value}")


def check_integer(name: str, value: object, low: int, high: int = 2**31 - 1) -> int:
    """Returns `value` as an int. Raises TypeError unless it is an integer, ValueError unless low <= value <= high."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"{name} must be between {low} and {high}, got {number}")
    return number


def as_floats(name: str, array: Array) -> np.ndarray:
    """Returns a contiguous float32 or float64 NumPy array of `array`. Integers become float64.

    Raises:
        TypeError: The dtype is a float of another width, complex, or no number.
    """
    array = np.asarray(array)
    if array.dtype in _FLOATS:
        return np.ascontiguousarray(array)
    if array.dtype.kind in "iu":
        return np.ascontiguousarray(array, np.float64)
    check_dtype(name, array, ("float32", "float64"))
    return np.ascontiguousarray(array)
