"""Detectron's weights, which are pickles, read without running anything that a pickle may hold."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

# Names that pickled arrays refer to, before and after NumPy 2.
PERMITTED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
}


class ArrayUnpickler(pickle.Unpickler):
    """Makes NumPy arrays and built-in containers, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in PERMITTED:
            raise pickle.UnpicklingError(f"{module}.{name}, which is not permitted")
        return super().find_class(module, name)


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
    with open(path, "rb") as file:
        try:
            content = ArrayUnpickler(file, encoding="latin1").load()
        except Exception as error:  # a broken pickle raises errors of any kind
            raise ValueError(f"{path}: expected a pickled dictionary of arrays, found {error}") from None
    blobs = content.get("blobs", content) if isinstance(content, dict) else content
    if not isinstance(blobs, dict):
        raise ValueError(f"{path}: expected a dictionary of arrays, found {type(blobs).__name__}")
    for name, blob in blobs.items():
        if not isinstance(name, str) or not isinstance(blob, np.ndarray) or blob.dtype.kind not in "fiu":
            raise ValueError(f"{path}: {name}: expected an array of numbers, found {type(blob).__name__}")
    return blobs
