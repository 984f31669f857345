"""Imports inside ptfast run one way. Reads the sources, so it also sees imports that no test executes."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ptfast"

# For each room, the rooms that it may import besides itself. The chain
#     structures, skeletons <- _native <- ops <- tracking, models <- pipeline <- methods <- training <- cli
# sees everything to its left; the rooms beside it see the data structures and ops.
FLOOR = {"_check", "_columns", "_files", "_json"}
DATA = FLOOR | {"structures", "skeletons"}
OPS = DATA | {"_native", "ops"}
BESIDE = DATA | {"ops"}
TOOLS = {"io", "evaluation", "synthetic", "viz", "interop"}
PIPELINE = OPS | TOOLS | {"tracking", "models"}
METHODS = PIPELINE | {"pipeline"}
MAY_IMPORT = {
    "_check": set(),
    "_files": set(),
    "_json": set(),
    "skeletons": FLOOR,
    "_columns": {"_check"},
    "structures": FLOOR | {"skeletons"},
    "_native": DATA | {"_C"},
    "ops": OPS,
    "tracking": OPS,
    "models": OPS,
    "io": BESIDE,
    "evaluation": BESIDE | {"io"},
    "synthetic": BESIDE,
    "viz": BESIDE,
    "interop": BESIDE | {"io"},
    "pipeline": PIPELINE,
    "methods": METHODS,
    "training": METHODS | {"methods"},
    "cli": METHODS | {"methods", "training", "__init__"},
    "__main__": {"cli"},
    "dropin": BESIDE | {"_native", "tracking", "evaluation", "io"},
    "reference": DATA,
    "__init__": METHODS | {"methods", "training", "dropin"},
}


def module_name(path: Path, package: Path) -> str:
    """Dotted name of a source file, e.g. ptfast.ops.oks; a package's is that of its folder."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_module(name: str, package: Path) -> bool:
    path = package.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists() or path.with_suffix(".pyi").exists()


def imports(path: Path, package: Path) -> Iterator[tuple[str, bool]]:
    """Every module of ptfast that a file imports, and whether it does so as it loads (not inside a function)."""
    name = module_name(path, package)
    home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lazy = {id(inner) for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            inner = [f"{source}.{alias.name}" for alias in node.names]
            targets = [target if is_module(target, package) else source for target in inner]
        for target in targets:
            if target.split(".")[0] == "ptfast":
                yield target, id(node) not in lazy


def room(name: str) -> str:
    """The part of ptfast that a module belongs to: ptfast.ops._torch.oks is in ops."""
    return name.split(".")[1] if "." in name else "__init__"


def violations(package: Path) -> list[str]:
    """One line for each import that the plan forbids."""
    found = []
    for path in sorted(package.rglob("*.py")):
        name = module_name(path, package)
        own = room(name)
        if own not in MAY_IMPORT:
            found.append(f"{name} is in no room of the plan")
            continue
        for target, on_load in imports(path, package):
            if room(target) != own and room(target) not in MAY_IMPORT[own]:
                found.append(f"{name} imports {target}")
            if target.startswith("ptfast.ops._torch") and not name.startswith("ptfast.ops._torch"):
                if own != "ops":
                    found.append(f"{name} imports {target}, which is for ops alone")
                elif on_load:
                    found.append(f"{name} imports {target} as it loads; only a tensor may bring torch in")
    return found


def test_imports_run_one_way() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("structures.py", "from ptfast.ops.oks import oks_matrix", "ptfast.structures imports ptfast.ops.oks"),
        ("ops/nms.py", "from ptfast import tracking", "ptfast.ops.nms imports ptfast.tracking"),
        ("ops/nms.py", "from ..tracking import link", "ptfast.ops.nms imports ptfast.tracking"),
        ("io/mot.py", "def f():\n    import ptfast._native", "ptfast.io.mot imports ptfast._native"),
        ("tracking/link.py", "import ptfast._C", "ptfast.tracking.link imports ptfast._C"),
        ("methods/keytrack.py", "from ptfast.reference import oks", "ptfast.methods.keytrack imports ptfast.reference"),
        ("evaluation/hota.py", "from ptfast import link", "ptfast.evaluation.hota imports ptfast"),
        (
            "ops/nms.py",
            "from ptfast.ops._torch.oks import oks_matrix",
            "ptfast.ops.nms imports ptfast.ops._torch.oks as it loads; only a tensor may bring torch in",
        ),
        ("helpers.py", "", "ptfast.helpers is in no room of the plan"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    package = tmp_path / "ptfast"
    for name in ("ops/_torch/oks", "ops/oks", "tracking/__init__", "reference/__init__", "_native"):
        target = package / f"{name}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    (package / "_C.pyi").touch()
    path = package / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    assert violations(package) == [complaint]


@pytest.mark.parametrize("module", ["ptfast", "ptfast.ops"])
def test_importing_loads_no_heavy_package(module: str) -> None:
    script = f"import sys, {module}; print(*({{'torch', 'cv2', 'numba', 'scipy'}} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


def test_tensor_addresses_are_taken_in_one_place() -> None:
    users = [path for path in PACKAGE.rglob("*.py") if ".data_ptr(" in path.read_text()]
    assert [path for path in users if path.parent != PACKAGE / "ops" / "_torch"] == []


def test_native_core_includes_neither_torch_nor_numpy() -> None:
    sources = [path for path in (ROOT / "csrc").rglob("*") if path.suffix in {".h", ".cpp", ".cu"}]
    foreign = re.compile(r'#include [<"](torch/|ATen/|c10/|pybind11/numpy|numpy/|Python\.h)')
    assert sources
    assert [path.name for path in sources if foreign.search(path.read_text())] == []


def test_common_native_code_knows_no_operation() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "csrc" / "common").iterdir())
    assert set(re.findall(r'#include "(\w+)/', text)) == {"common"}


def import_graph(package: Path) -> dict[str, set[str]]:
    """The modules of ptfast that each of its files imports, at loading or later."""
    return {
        name: {target for target, _ in imports(path, package)} - {name}
        for path in sorted(package.rglob("*.py"))
        for name in [module_name(path, package)]
    }


def private_imports(graph: dict[str, set[str]]) -> list[str]:
    """One line for each import of a _private module from outside the package that it belongs to."""
    found = []
    for name, targets in graph.items():
        for target in sorted(targets):
            parts = target.split(".")
            owners = [".".join(parts[:i]) for i, part in enumerate(parts) if part.startswith("_")]
            found += [f"{name} imports {target}" for owner in owners if not f"{name}.".startswith(f"{owner}.")]
    return found


def cycle_of(graph: dict[str, set[str]]) -> list[str]:
    """The modules of an import cycle in order, if there is one."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for target in sorted(graph.get(name, ())):
            if cycle := search(target, [*path, name]):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in sorted(graph) if (cycle := search(name, []))), [])


def test_no_package_imports_anothers_private_modules() -> None:
    assert private_imports(import_graph(PACKAGE)) == []


def test_no_two_files_import_each_other() -> None:
    assert cycle_of(import_graph(PACKAGE)) == []


def test_private_imports_and_cycles_are_found() -> None:
    graph = {
        "ptfast.a": {"ptfast._ground", "ptfast.b._inner"},
        "ptfast.b": {"ptfast.b._inner", "ptfast.c"},
        "ptfast.b._inner": {"ptfast.c"},
        "ptfast.c": {"ptfast.b"},
        "ptfast._ground": set(),
    }
    assert private_imports(graph) == ["ptfast.a imports ptfast.b._inner"]
    assert cycle_of(graph) == ["ptfast.b._inner", "ptfast.c", "ptfast.b", "ptfast.b._inner"]


def test_the_median_file_and_function_are_short() -> None:
    files, functions = [], []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        files.append(text.count("\n"))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                functions.append((node.end_lineno or 0) - body[0].lineno + 1 if body else 0)
    assert statistics.median(files) < 110 and statistics.median(functions) < 10
    assert max(files) <= 400 and max(functions) <= 50


def test_numba_kernels_take_at_most_ten_parameters() -> None:
    kinds = re.compile(r"\b(kernel|part|maker)\b")
    found = {
        f"{path.stem}.{node.name}": len(node.args.args)
        for path in (PACKAGE / "tracking" / "_kernels").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and any(kinds.search(ast.unparse(d)) for d in node.decorator_list)
    }
    assert len(found) > 40 and {name: count for name, count in found.items() if count > 10} == {}
