"""Prints the type stub of a built native core, e.g. `python .ci/native_stub.py build/emulator/_C.*.so`.

pybind11-stubgen reads the signatures. They are then made short: an argument has the type that callers pass instead of
all that pybind11 converts, and a function for another dtype is an alias of the first one with its signature.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

HEADER = """\
# The compiled extension, which ptfast/_native.py alone imports. `make stub` writes this file, tests/test_stubs.py
# compares it with the built extension. Functions with `_cuda_` or `cuda_` in their names exist where with_cuda is True.
from collections.abc import Sequence
from typing import Annotated, Any

"""
SHORTER = (
    (r"typing\.SupportsInt( \| typing\.SupportsIndex)?", "int"),
    (r"typing\.SupportsFloat( \| typing\.SupportsIndex)?", "float"),
    (r"\b(typing|collections\.abc)\.", ""),
)
DTYPE = re.compile(r"_(b?float16|float32|float64|uint8)$")


def read_stub(extension: Path) -> str:
    """The stub as pybind11-stubgen writes it."""
    with TemporaryDirectory() as folder:
        (Path(folder) / extension.name).symlink_to(extension.resolve())  # apart from the modules beside it
        command = [sys.executable, "-m", "pybind11_stubgen", "_C", "--output-dir", folder, "--exit-code"]
        path = os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")])
        subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, check=True, stdout=subprocess.DEVNULL)
        return (Path(folder) / "_C.pyi").read_text()


def definitions(stub: str) -> Iterator[str]:
    """The module's classes and functions, then its attributes, one text each."""
    first: dict[str, str] = {}  # name of the first function with a signature and all of its name but the dtype
    aliases, attributes = [], []
    for node in ast.parse(stub).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) != "__all__":
            attributes.append(f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}")
        elif isinstance(node, ast.ClassDef):
            yield ast.unparse(node)
        elif isinstance(node, ast.FunctionDef):
            text = ast.unparse(node)
            name = first.setdefault(text.replace(node.name, DTYPE.sub("", node.name), 1), node.name)
            if name == node.name:
                yield text
            else:
                aliases.append(f"{node.name} = {name}")
    yield from aliases
    yield from attributes


def short_stub(stub: str) -> str:
    """The stub with short types, laid out as the project's other files."""
    text = "\n".join(definitions(stub))
    for pattern, replacement in SHORTER:
        text = re.sub(pattern, replacement, text)
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "_C.pyi", "-"]
    return subprocess.run(command, input=HEADER + text + "\n", capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    print(short_stub(read_stub(Path(sys.argv[1]))), end="")
