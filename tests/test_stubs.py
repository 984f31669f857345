"""ptfast/_C.pyi is what pybind11-stubgen makes of the native core. `make stub` writes it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ptfast import _native

pytest.importorskip("pybind11_stubgen", reason="pybind11-stubgen, which writes the stub, is not installed")
ROOT = Path(__file__).parents[1]
STUB = ROOT / "ptfast" / "_C.pyi"


def stub_of(extension: str) -> str:
    """The stub of a built extension, written by the project's script."""
    command = [sys.executable, ROOT / ".ci" / "native_stub.py", extension]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def declarations(stub: str) -> dict[str, str]:
    """Top-level names of a stub with their declarations."""
    texts = re.split(r"\n(?=\S)", re.sub(r"\n\) ->", " ) ->", stub))
    return {name[0]: text.strip() for text in texts if (name := re.findall(r"^(?:def |class )?(\w+)", text))}


def test_the_stub_is_that_of_the_core_with_cuda_kernels(emulator: Any) -> None:
    assert stub_of(emulator.core.__file__) == STUB.read_text()


def test_the_built_core_has_what_the_stub_declares() -> None:
    declared, built = declarations(STUB.read_text()), declarations(stub_of(_native.core.__file__))
    if not _native.with_cuda:
        launchers = {name for name in declared if re.match(r"cuda_(error|\w+_version)$|\w+_cuda_\w+?\d+$", name)}
        assert launchers.isdisjoint(built)
        declared = {name: text for name, text in declared.items() if name not in launchers}
    assert built == declared


def test_a_changed_signature_is_found() -> None:
    stub = "def address(array: Any) -> int: ...\ndef assign(\n    costs: Any,\n) -> int: ...\n\nversion: str\n"
    assert list(declarations(stub)) == ["address", "assign", "version"]
    assert declarations(stub) != declarations(stub.replace("costs", "cost"))
