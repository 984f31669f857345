"""Shape, dtype and value checks with one form of message, for NumPy arrays and torch tensors alike."""

from __future__ import annotations

import numbers
import operator
import sys
from collections.abc import Sequence
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
    """Raises TypeError unless the array's dtype is one of `allowed`, e.g. ("float32", "float64"), in any byte order."""
    got = str(array.dtype).removeprefix("torch.")
    if got not in allowed and (is_tensor(array) or array.dtype.newbyteorder("=").name not in allowed):
        raise TypeError(f"{name} must have dtype {' or '.join(allowed)}, got {got}")


def check_finite(name: str, array: np.ndarray) -> None:
    """Raises ValueError with the first position of a NaN or an infinity."""
    bad = ~np.isfinite(array)
    if bad.any():
        position = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name} must be finite, got {array[position]} at {format_shape(position)}")


def check_offsets(
    name: str, offsets: Array | Sequence[int], count: int, noun: str | None = "rows", *, length: str = "B + 1"
) -> np.ndarray:
    """Returns offsets as the native core reads them, checked to rise from 0 to `count`.

    Neighbours are compared, not subtracted: a difference of two int64 may wrap around.

    Args:
        name: The argument's name in the message.
        offsets: (B + 1,) integers.
        count: The number of rows that the offsets divide.
        noun: Name of the rows in the message, or None to leave it out.
        length: Pattern of the shape in the message.

    Returns:
        (B + 1,) int64, `offsets` itself where it is as the core reads it.

    Raises:
        ValueError: The shape is wrong, or they do not rise from 0 to `count`.
        TypeError: They are no integers.
    """
    offsets = np.asarray(offsets)
    check_shape(name, offsets, (length,))
    if offsets.size and offsets.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got {offsets.dtype}")
    if not offsets.size or offsets[0] != 0 or offsets[-1] != count or (offsets[1:] < offsets[:-1]).any():
        shown = np.array2string(offsets, max_line_width=1000, threshold=8, separator=", ")
        counted = "" if noun is None else f", the number of {noun}"
        raise ValueError(f"{name} must rise from 0 to {count}{counted}, got {shown}")
    return core_array(offsets, np.int64)


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


def check_finite_number(name: str, value: float, low: float) -> None:
    """Raises TypeError unless `value` is a number, ValueError unless it is finite and at least `low`."""
    check_number(name, value, low)
    if value == float("inf"):
        raise ValueError(f"{name} must be finite, got {value}")


def check_positive(name: str, value: float) -> None:
    """Raises TypeError unless `value` is a number, ValueError unless it is positive."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not value > 0:
        raise ValueError(f"{name} must be positive, got {value}")


def check_threshold(name: str, value: float | None) -> None:
    """Raises TypeError unless `value` is a number or None, ValueError if it is NaN."""
    if value is not None and not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number or None, got {value!r}")
    if value is not None and value != value:
        raise ValueError(f"{name} must be a number or None, got nan")


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
    """Returns a float32 or float64 array of `array` as the native core reads it. Integers become float64.

    Raises:
        TypeError: The dtype is a float of another width, complex, or no number.
    """
    array = np.asarray(array)
    if array.dtype in _FLOATS:
        return array if array.flags.carray else core_array(array, array.dtype)
    if array.dtype.kind in "iu":
        return core_array(array, np.float64)
    native = array.dtype.newbyteorder("=")
    if native not in _FLOATS:
        check_dtype(name, array, ("float32", "float64"))
    return core_array(array, native)


def core_array(array: Array, dtype: Any) -> np.ndarray:
    """Returns a NumPy array of `array` as the native core reads it, `array` itself where it is one.

    It is C-contiguous, in this machine's byte order, and aligned: no number lies across the place of two, as in a field
    of packed records.

    Args:
        array: NumPy array, tensor on the CPU, or what NumPy makes an array of.
        dtype: The result's dtype.
    """
    if type(array) is np.ndarray and array.dtype is dtype and array.flags.carray:  # dtypes of numbers are singletons
        return array
    array = np.ascontiguousarray(array, dtype)
    return array if array.flags.aligned else array.copy()
