"""What the sdist must hold to be built from, and what the wheel must and must not hold."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile

TEST_SET = "ptfast/synthetic/benchmark_v1.json"
WEIGHTS = [
    f"ptfast/pipeline/weights/{name}.{suffix}"
    for name in ("matcher", "detect-and-track", "detect-and-track-2d", "clip-tracking", "clip-tracking-2d")
    for suffix in ("safetensors", "json")
]
CONFIGS = [
    f"ptfast/training/configs/{name}.toml"
    for name in ("synthetic_2d", "synthetic_3d", "paper_3d_r18", "paper_2d_r101_fpn", "pose/synthetic_pose_3d")
]


def main() -> None:
    """Reads the names in an sdist and a wheel; exits with a line for each thing wrong."""
    with tarfile.open(sys.argv[1]) as sdist:
        source = [name.split("/", 1)[1] for name in sdist.getnames() if "/" in name]
    with zipfile.ZipFile(sys.argv[2]) as wheel:
        installed = wheel.namelist()
    wrong = [
        f"sdist lacks {name}"
        for name in (
            "CMakeLists.txt",
            "LICENSE",
            "csrc/module.cpp",
            "csrc/common/cuda.h",
            "csrc/oks/oks_cuda.cu",
            TEST_SET,
        )
        if name not in source
    ]
    wrong += [f"sdist lacks {name}" for name in WEIGHTS if name not in source]
    wrong += [f"wheel lacks {name}" for name in WEIGHTS if name not in installed]
    wrong += [f"sdist lacks {name}" for name in CONFIGS if name not in source]
    wrong += [f"wheel lacks {name}" for name in CONFIGS if name not in installed]
    wrong += [f"sdist holds {name}" for name in source if re.search(r"\.(so|pyc)$", name)]
    wrong += [
        f"wheel lacks {name}" for name in ("ptfast/py.typed", "ptfast/ops/oks.py", TEST_SET) if name not in installed
    ]
    extensions = [name for name in installed if name.endswith(".so")]
    if len(extensions) != 1 or not extensions[0].startswith("ptfast/_C."):
        wrong.append(f"wheel must hold one extension, ptfast/_C, but holds {extensions}")
    stray = [name for name in installed if not re.match(r"ptfast/|ptfast-[^/]+\.dist-info/", name)]
    wrong += [f"wheel holds {name}" for name in stray]
    wrong += [f"wheel holds {name}" for name in installed if re.search(r"(^|/)(tests?/|test_)", name)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"sdist: {len(source)} entries, wheel: {len(installed)} files, one extension, no tests")


if __name__ == "__main__":
    main()
