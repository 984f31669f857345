"""What each CUDA kernel of a verbose build takes, as a table, and whether the extension loads without a GPU.

Fails where a kernel spills registers on sm_90.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """One kernel on one architecture, as ptxas reports it."""

    kernel: str
    architecture: str
    registers: int
    shared: int
    spilled: int


def read_usage(log: str) -> Iterator[Usage]:
    """The kernels of a build log written with -Xptxas=-v."""
    for entry in log.split("Compiling entry function ")[1:]:
        name, architecture = re.findall(r"'(\w+)'", entry)[:2]
        stores, loads = (int(count) for count in re.findall(r"(\d+) bytes spill", entry)[:2])
        registers = re.search(r"Used (\d+) registers", entry)
        shared = re.search(r"(\d+) bytes smem", entry.split("Compile time")[0])
        yield Usage(name, architecture, int(registers[1]), int(shared[1]) if shared else 0, stores + loads)


def demangled(names: list[str]) -> list[str]:
    """Readable names without their argument lists; the mangled ones where no demangler is at hand."""
    tool = shutil.which("cu++filt") or shutil.which("c++filt")
    if tool is None:
        return names
    text = subprocess.run([tool], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    plain = (re.sub(r"^void |\(anonymous namespace\)::|ptfast::|<unnamed>::", "", line) for line in text.splitlines())
    return [re.sub(r"\(\w+\)(?=\d)", "", line) for line in plain]  # the type of an enumerator


def print_table(usage: list[Usage]) -> None:
    """One row a kernel: the range of its registers and the most it takes of the rest, over all architectures."""
    mangled = sorted({row.kernel for row in usage})
    names = [name.split("(")[0] for name in demangled(mangled)]
    width = max(map(len, names))
    print(f"{'kernel':{width}}  registers  shared bytes  spilled bytes")
    for name, kernel in sorted(zip(names, mangled, strict=True)):
        rows = [row for row in usage if row.kernel == kernel]
        low, high = min(row.registers for row in rows), max(row.registers for row in rows)
        print(f"{name:{width}}  {f'{low}-{high}':>9}", end="  ")
        print(f"{max(row.shared for row in rows):12}  {max(row.spilled for row in rows):13}")
    architectures = sorted({row.architecture for row in usage}, key=lambda name: int(re.sub(r"\D", "", name)))
    print(f"{len(mangled)} kernels for {', '.join(architectures)}")


def main() -> None:
    """Reads the log in a build folder, prints the table and loads the extension that stands beside it."""
    build = Path(sys.argv[1]).resolve()
    usage = list(read_usage((build / "build.log").read_text()))
    if not usage:
        sys.exit(f"{build}/build.log names no kernel; was it built with -Xptxas=-v?")
    print_table(usage)
    spilling = [row.kernel for row in usage if row.architecture == "sm_90" and row.spilled]
    if spilling:
        sys.exit(f"spills on sm_90: {', '.join(demangled(spilling))}")
    sys.path.insert(0, str(build))
    import _C

    driver = _C.cuda_driver_version() or "none"
    print(f"extension loads: CUDA runtime {_C.cuda_runtime_version()}, driver {driver}, architectures {_C.cuda_archs}")


if __name__ == "__main__":
    main()
