"""Compile the native core with CMake. Everything declarative lives in pyproject.toml."""

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


class CMakeBuild(build_ext):
    """Runs CMake in build/ and leaves ptfast/_C beside the Python files."""

    def build_extension(self, ext: Extension) -> None:
        import pybind11

        cmake, ninja = shutil.which("cmake"), shutil.which("ninja")
        if cmake is None or ninja is None:
            raise SystemExit("ptfast: cmake and ninja must be on the PATH; activate the environment that has them")
        # Not setuptools' own folder: an editable install would throw that away, and every compiled object with it.
        build = ROOT / "build" / f"{sysconfig.get_platform()}-{sys.implementation.cache_tag}"
        configure = [
            cmake, "-S", str(ROOT), "-B", str(build), "-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}",
            f"-DCMAKE_BUILD_TYPE={'Debug' if self.debug else 'Release'}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            f"-DPTFAST_CUDA={os.environ.get('PTFAST_CUDA', 'AUTO')}",
            f"-DPTFAST_VERSION={self.distribution.get_version()}",
        ]  # fmt: skip
        # CMake's cache keeps what it found the last time: another Python, another compiler, the tools of an isolated
        # build that is gone. So it serves only the same question again.
        compilers = [os.environ.get(name, "") for name in ("CXX", "CXXFLAGS", "CUDACXX", "CUDAFLAGS", "CUDAARCHS")]
        question = "\n".join([*configure, sys.version, sys.base_prefix, *compilers, shutil.which("nvcc") or ""])
        asked = build / "configured.txt"
        if not asked.exists() or asked.read_text() != question:
            asked.unlink(missing_ok=True)
            configure.append("--fresh")
        destination = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        _run([*configure, f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={destination}"])
        asked.write_text(question)
        _say((build / "plan.txt").read_text())
        _run([cmake, "--build", str(build)])


def _say(plan: str) -> None:
    """Prints what is being compiled. pip keeps that to itself unless it is told -v, so it goes to the terminal, too."""
    line = f"ptfast: {plan}; pip install -v shows the progress"
    print(line, flush=True)
    with suppress(OSError), open("/dev/tty", "w") as terminal:
        terminal.write(f"\n{line}\n")


def _run(command: list[str]) -> None:
    if subprocess.run(command).returncode:
        raise SystemExit(f"ptfast: `{' '.join(command)}` failed; the message above says why")


setup(ext_modules=[Extension("ptfast._C", sources=[])], cmdclass={"build_ext": CMakeBuild})
