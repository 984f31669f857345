"""What stands for NumPy's functions in a pickle: arrays made of checked parts, and no idea of memory from the file.

NumPy itself trusts a pickle, and a dtype that grows under an array moves the array's end out of its memory. Here a
dtype is one of a few names, and an array is made once, of bytes whose number fits.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterable
from typing import Any

import numpy as np

_DTYPES = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}
_MAX_DIMENSIONS = 32
_MAX_NAME = 20


class PickledDtype:
    """The dtype of numbers in a pickle."""

    def __init__(self, name: Any, *_: Any) -> None:
        if text(name) not in _DTYPES:
            raise pickle.UnpicklingError(f"an array of dtype {text(name)!r}")
        self.dtype = np.dtype(text(name))

    def build(self, state: Any) -> None:
        """Takes the byte order from a pickled state: version, byte order, and three parts that numbers lack."""
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("a dtype that is not one of numbers")
        if text(state[1]) not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError("a dtype without a byte order")
        self.dtype = np.dtype(text(state[1]) + self.dtype.str[1:])


class PickledArray:
    """An array in a pickle, which announces it first and describes it later."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray | None = None

    def build(self, state: Any) -> None:
        """Makes the array of a pickled state: perhaps a version, then shape, dtype, Fortran's order or not, bytes."""
        if self.array is not None or not isinstance(state, tuple) or len(state) not in (4, 5):
            raise pickle.UnpicklingError("an array of other parts than shape, dtype, order and bytes")
        shape, dtype, fortran, raw = state[-4:]
        self.array = _array(raw, dtype, shape, "F" if fortran else "C")


def text(value: Any) -> str:
    """A short text of a pickle, such as a dtype's name, where Python 2 or old protocols may have written bytes."""
    if not isinstance(value, bytes | str) or len(value) > _MAX_NAME:
        raise pickle.UnpicklingError(f"{type(value).__name__} where a short text was expected")
    return value.decode("latin1") if isinstance(value, bytes) else value


def dictionary(pairs: Iterable[Any] = ()) -> dict[Any, Any]:
    """A dictionary of pairs whose keys are texts or integers: a nested key could take for ever to hash."""
    made = {}
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise pickle.UnpicklingError("a dictionary of other things than pairs")
        key, value = pair
        if not isinstance(key, str) and not (isinstance(key, int) and key.bit_length() <= 64):
            raise pickle.UnpicklingError(f"a dictionary with a key of type {type(key).__name__}")
        made[key] = value
    return made


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> PickledArray:
    """Stands for NumPy's function that protocol 5 calls."""
    made = PickledArray()
    if order == "K" and isinstance(axes, tuple | list) and isinstance(shape, tuple):
        made.array = _array(raw, dtype, shape, "C").transpose([_size(axis, _MAX_DIMENSIONS) for axis in axes])
    elif order in ("C", "F"):
        made.array = _array(raw, dtype, shape, order)
    else:
        raise pickle.UnpicklingError("an array without an order")
    return made


def _scalar(dtype: Any, raw: Any) -> Any:
    """Stands for NumPy's function that makes a number."""
    return _array(raw, dtype, (), "C").item()


def _unencoded(characters: Any, encoding: Any) -> str:
    """Stands for `codecs.encode`, by which old protocols write bytes. They stay text until an array is made of them."""
    if text(encoding) not in ("latin1", "latin-1") or not isinstance(characters, str):
        raise pickle.UnpicklingError("bytes that are not written as latin1")
    return characters


def _no_bytes() -> bytes:
    return b""


def _array(raw: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    """A copy of pickled numbers in this machine's byte order."""
    if not isinstance(dtype, PickledDtype) or not isinstance(raw, bytes | str):
        raise pickle.UnpicklingError("an array of other parts than shape, dtype, order and bytes")
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise pickle.UnpicklingError("an array without a shape")
    sizes = [_size(size, 2**62) for size in shape]
    if math.prod(sizes) * dtype.dtype.itemsize != len(raw):
        raise pickle.UnpicklingError(f"an array of shape {tuple(sizes)} and dtype {dtype.dtype} in {len(raw)} bytes")
    held = raw.encode("latin1") if isinstance(raw, str) else raw
    numbers = np.frombuffer(held, dtype.dtype).astype(dtype.dtype.newbyteorder("="))
    return numbers.reshape(sizes, order=order)


def _size(value: Any, limit: int) -> int:
    if not isinstance(value, int) or not 0 <= value < limit:
        raise pickle.UnpicklingError("a size that is no number or out of range")
    return value


# By the names that pickled arrays refer to, before and after NumPy 2, in Python 2 and 3.
FUNCTIONS = {
    ("numpy", "ndarray"): PickledArray,
    ("numpy", "dtype"): PickledDtype,
    ("numpy.core.multiarray", "_reconstruct"): PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): PickledArray,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("collections", "OrderedDict"): dictionary,
    ("_codecs", "encode"): _unencoded,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
}
