"""Packages that are imported when a function needs them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def require(module: str, caller: str, package: str = "") -> ModuleType:
    """A module that a function of ptfast.interop needs.

    Args:
        module: Its name.
        caller: The function's name.
        package: Its name for pip, where that is another one.

    Raises:
        ImportError: It is not installed, or cannot be imported.
    """
    try:
        return import_module(module)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            raise ImportError(f"ptfast.interop.{caller} needs {module}: pip install {package or module}") from None
        raise
