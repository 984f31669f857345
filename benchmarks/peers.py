"""Other libraries, for tests and benchmarks, where they are installed: `torchvision = peer("torchvision.ops")`."""

from __future__ import annotations

import importlib
import os
import tempfile
from functools import cache
from types import ModuleType

import pytest

os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())  # ultralytics would write settings into the home folder


@cache
def find_peer(name: str) -> tuple[ModuleType | None, str]:
    """A module, or None and the reason why there is none.

    Being there is not enough: torchvision beside a torch that it was not built for raises RuntimeError as it loads.
    """
    try:
        return importlib.import_module(name), ""
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            return None, f"{name} is not installed"
        return None, f"{name} is installed but cannot be imported: {error}"
    except (ImportError, RuntimeError, OSError) as error:
        return None, f"{name} is installed but cannot be imported: {error}"


def peer(name: str) -> ModuleType:
    """A module to compare with; where there is none, the test that asks, or the whole module, is skipped by name."""
    module, reason = find_peer(name)
    if module is None:
        pytest.skip(reason, allow_module_level=True)
    return module
