"""Checks that an sdist can be built from, that a wheel has all data files of the tree, and that neither has more."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATTERNS = (
    "py.typed",
    "**/*.pyi",
    "**/*.json",
    "**/*.safetensors",
    "**/*.toml",
    "**/*.mp4",
)  # of data files in the package
SOURCES = ("CMakeLists.txt", "LICENSE", "NOTICE", "csrc/module.cpp", "csrc/common/cuda.h", "csrc/oks/oks_cuda.cu")
MOST_BYTES = 65_000_000  # of a wheel


def data_files() -> list[str]:
    """The package's data files in the working tree; exits if there are none of a kind."""
    found = {pattern: list((ROOT / "ptfast").glob(pattern)) for pattern in PATTERNS}
    if empty := [pattern for pattern, paths in found.items() if not paths]:
        sys.exit(f"{ROOT / 'ptfast'}: expected files that match {', '.join(empty)}, found none")
    return sorted(path.relative_to(ROOT).as_posix() for paths in found.values() for path in paths)


def main() -> None:
    """Reads the names in an sdist and a wheel; exits with a line for each thing wrong."""
    with tarfile.open(sys.argv[1]) as sdist:
        source = [name.split("/", 1)[1] for name in sdist.getnames() if "/" in name]
    with zipfile.ZipFile(sys.argv[2]) as wheel:
        installed = wheel.namelist()
    data = data_files()
    wrong = [f"sdist lacks {name}" for name in (*SOURCES, *data) if name not in source]
    wrong += [f"sdist holds {name}" for name in source if re.search(r"\.(so|pyc)$", name)]
    wrong += [f"wheel lacks {name}" for name in ("ptfast/ops/oks.py", *data) if name not in installed]
    for name in ("LICENSE", "NOTICE"):
        if not any(re.fullmatch(rf"ptfast-[^/]+\.dist-info/(licenses/)?{name}", entry) for entry in installed):
            wrong.append(f"wheel lacks {name}")
    if (size := Path(sys.argv[2]).stat().st_size) > MOST_BYTES:
        wrong.append(f"wheel must take at most {MOST_BYTES} bytes, but takes {size}")
    extensions = [name for name in installed if name.endswith(".so")]
    if len(extensions) != 1 or not extensions[0].startswith("ptfast/_C."):
        wrong.append(f"wheel must hold one extension, ptfast/_C, but holds {extensions}")
    stray = [name for name in installed if not re.match(r"ptfast/|ptfast-[^/]+\.dist-info/", name)]
    wrong += [f"wheel holds {name}" for name in stray]
    wrong += [f"wheel holds {name}" for name in installed if re.search(r"(^|/)(tests?/|test_)", name)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"sdist: {len(source)} entries, wheel: {len(installed)} files, {len(data)} of them data, no tests")


if __name__ == "__main__":
    main()
