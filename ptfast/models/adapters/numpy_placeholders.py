"""NumPy's objects in checkpoints, such as scores and colours of joints: placeholders stand for them, nothing is run.

Training programs store them beside the weights, where nobody needs them. NumPy itself trusts a pickle: a dtype that
grows under an array moves the array's end out of its memory. So torch's reader, which permits none of NumPy's names,
is given names alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from torch.serialization import add_safe_globals, clear_safe_globals, get_safe_globals

_NAMES = {
    **{f"numpy.{core}.multiarray": ("scalar", "_reconstruct") for core in ("core", "_core")},  # NumPy 1 and 2
    "numpy": ("dtype", "ndarray"),
}
_ALONE = Lock()  # torch has one list of permitted names for all threads


class Placeholder:
    """Stands for an object of NumPy, whatever it is made of."""

    def __new__(cls, *_: Any) -> Placeholder:
        """Drops the object's parts."""
        return super().__new__(cls)

    def __init__(self, *_: Any) -> None:
        """Drops the object's parts."""

    def __setstate__(self, state: Any) -> None:
        """Drops the object's content."""


_PLACEHOLDERS: list[Any] = [
    type(name, (Placeholder,), {"__module__": module, "__qualname__": name})
    for module, names in _NAMES.items()
    for name in names
]


@contextmanager
def numpy_placeholders() -> Iterator[None]:
    """Inside, `torch.load` with weights_only permits the names of NumPy's arrays and scalars and no others."""
    with _ALONE:
        before = get_safe_globals()
        clear_safe_globals()
        add_safe_globals(_PLACEHOLDERS)
        try:
            yield
        finally:
            clear_safe_globals()
            add_safe_globals(before)
