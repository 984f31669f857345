"""Detectron's weights, which are pickles, read without running anything that a pickle may hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ptfast.models.adapters.pickled_arrays import PickledArray
from ptfast.models.adapters.unpickling import unpickle


def read_detectron(path: str | Path) -> dict[str, np.ndarray]:
    """The blobs of a .pkl file of Detectron or Detect-and-Track, for `load_detectron`.

    Args:
        path: A pickled dictionary of arrays, or of "blobs" and other entries, by Python 2 or 3. Nothing in it is run,
            and arrays and built-in containers alone are permitted.

    Returns:
        Arrays by name.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is something else.
    """
    content = Path(path).read_bytes()
    try:
        found = unpickle(content)
    except Exception as error:  # a broken pickle raises errors of any kind
        raise ValueError(f"{path}: expected a pickled dictionary of arrays, found {_shown(error)}") from None
    blobs = found.get("blobs", found) if isinstance(found, dict) else found
    if not isinstance(blobs, dict):
        raise ValueError(f"{path}: expected a dictionary of arrays, found {type(blobs).__name__}")
    return {name: _array(f"{path}: {_shown(name)}", blob) for name, blob in blobs.items()}


def _array(place: str, blob: object) -> np.ndarray:
    if not isinstance(blob, PickledArray):
        raise ValueError(f"{place}: expected an array of numbers, found {type(blob).__name__}")
    if blob.array is None or blob.array.dtype.kind not in "fiu":
        raise ValueError(f"{place}: expected an array of numbers, found one of other things")
    return blob.array


def _shown(found: object) -> str:
    """What a file holds, on one line of bounded length."""
    return ascii(str(found))[1:-1][:200]
