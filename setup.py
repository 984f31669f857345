"""Compile the native core with CMake. Everything declarative lives in pyproject.toml."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


class CMakeBuild(build_ext):
    """Runs CMake in setuptools' temporary folder and leaves ptfast/_C beside the Python files."""

    def build_extension(self, ext: Extension) -> None:
        import pybind11

        destination = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        build = Path(self.build_temp).resolve()
        configure = [
            "cmake", "-S", str(ROOT), "-B", str(build),
            f"-DCMAKE_BUILD_TYPE={'Debug' if self.debug else 'Release'}",
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={destination}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-Dpybind11_DIR={pybind11.get_cmake_dir()}",
            f"-DPTFAST_CUDA={os.environ.get('PTFAST_CUDA', 'AUTO')}",
            f"-DPTFAST_VERSION={self.distribution.get_version()}",
        ]  # fmt: skip
        # An isolated build brings its own ninja, whose path CMake's cache would keep after that folder is gone.
        if ninja := shutil.which("ninja"):
            configure += ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        for command in (configure, ["cmake", "--build", str(build), "--parallel"]):
            if subprocess.run(command).returncode:
                raise SystemExit(f"ptfast: {command[1]} failed; the CMake message above says why")


setup(ext_modules=[Extension("ptfast._C", sources=[])], cmdclass={"build_ext": CMakeBuild})
