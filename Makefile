# Every target is complete on a fresh machine with Python 3.11 or later and a C++ compiler. `make help` lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALLED := $(VENV)/.installed
# Says what it does the first time, when there is much to fetch; later only what goes wrong.
INSTALL = $(RUN) pip install $(if $(wildcard $(INSTALLED)),--quiet) --constraint constraints.txt
CUDA_BUILD := build/cuda-check
EMULATOR_BUILD := build/emulator
SANITIZED := build/sanitized
PEERS := build/peers
NATIVE_SOURCES := $(shell find csrc -name '*.cpp' -o -name '*.cu' -o -name '*.h')
# cmake, ninja and clang-format come with the environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help venv demo test fuzz bench peers readme-tables docs lint format stub cuda-check sanitize clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## make .venv with everything for development, and ptfast itself in place

# Without a GPU, CUDA kernels could not run here: they are left out, unless PTFAST_CUDA says otherwise. The build
# requirements come first, as a build without isolation expects them.
$(INSTALLED): constraints.txt pyproject.toml setup.py CMakeLists.txt csrc $(NATIVE_SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"ptfast needs Python 3.11 or later, but \
	$(PYTHON) is {sys.version.split()[0]}; name another one: make PYTHON=python3.11 ...")'
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) setuptools pybind11 cmake ninja
	@if [ -z "$$PTFAST_CUDA" ] && ! nvidia-smi -L >/dev/null 2>&1; then export PTFAST_CUDA=OFF; fi; \
	$(INSTALL) --no-build-isolation --editable '.[dev,bench,docs]'
	@touch $@

demo: venv ## track the people of an example scene and of a real clip, and say where the results lie
	$(VENV)/bin/ptfast demo --out demo

test: venv ## run the tests; ARGS="-k oks" and the like go to pytest
	$(RUN) pytest $(ARGS)

fuzz: venv ## read 10,000 mutated files with every reader; ARGS="--seed 7 --files 500" and the like go to the script
	$(VENV)/bin/python tests/fuzz/run.py $(ARGS)
peers: venv ## run other libraries' own tests with ptfast swapped in and without, and write docs/peers.md
	@for set in requirements motmetrics; do \
	  test -x $(PEERS)/$$set/bin/python || $(RUN) venv $(PEERS)/$$set; \
	  $(PEERS)/$$set/bin/pip install --quiet --requirement tests/peers/$$set.txt || exit 1; \
	done
	$(VENV)/bin/python tests/peers/run.py

bench: venv ## run the benchmarks, with the other libraries they compare with; ARGS go to pytest
	$(RUN) pytest benchmarks --benchmark-only $(ARGS)

readme-tables: venv ## write the figures of the README and docs/ from benchmarks/results
	$(VENV)/bin/python benchmarks/make_tables.py

docs: venv ## build the documentation, warnings as errors, and say where it lies
	@rm -rf build/docs build/doctrees
	$(RUN) sphinx --builder html --quiet --nitpicky --fail-on-warning --doctree-dir build/doctrees docs build/docs
	@echo $(CURDIR)/build/docs/index.html

lint: venv ## check style, types and layout
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	clang-format --dry-run -Werror $(NATIVE_SOURCES)

format: venv ## put style and layout right
	$(RUN) ruff check --fix
	$(RUN) ruff format
	clang-format -i $(NATIVE_SOURCES)

# The emulated core has the functions of every build.
stub: venv ## write ptfast/_C.pyi, the native core's types, from the core with emulated CUDA kernels
	cmake -S tests/cuda_emulator -B $(EMULATOR_BUILD) -G Ninja -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python \
	  -Dpybind11_DIR=$$($(RUN) pybind11 --cmakedir)
	cmake --build $(EMULATOR_BUILD)
	$(VENV)/bin/python .ci/native_stub.py $(EMULATOR_BUILD)/_C.*.so >$(EMULATOR_BUILD)/_C.pyi
	mv $(EMULATOR_BUILD)/_C.pyi ptfast/_C.pyi

cuda-check: venv ## compile every CUDA kernel for all architectures, warnings as errors; needs nvcc, no GPU
	@command -v "$${CUDACXX:-nvcc}" >/dev/null || { echo "make cuda-check needs nvcc, which is not on the PATH; install \
	the CUDA toolkit (12.8 or later for every architecture) or name the compiler: CUDACXX=.../nvcc" >&2; exit 1; }
	env -u CUDAARCHS cmake --fresh -S . -B $(CUDA_BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -DPTFAST_CUDA=ALL -DPTFAST_WERROR=ON -DCMAKE_CUDA_FLAGS=-Xptxas=-v \
	  -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python -Dpybind11_DIR=$$($(RUN) pybind11 --cmakedir)
	@cmake --build $(CUDA_BUILD) --parallel 2 >$(CUDA_BUILD)/build.log 2>&1 || { cat $(CUDA_BUILD)/build.log; exit 1; }
	$(VENV)/bin/python .ci/cuda_resources.py $(CUDA_BUILD)

# The sanitizers must be there before Python is, and Python keeps memory until its end. The sanitized core is imported
# from a copy of the package, so -P keeps the folder that make runs in off the path. A report ends the process: what
# pytest caught of its stderr would be lost with it.
sanitize: venv ## run the core's tests under the address, undefined-behaviour and thread sanitizers
	cmake -S tests/sanitizers -B $(SANITIZED)/threads -G Ninja -DPTFAST_SANITIZER=thread
	cmake --build $(SANITIZED)/threads
	TSAN_OPTIONS=halt_on_error=1 setarch -R $(SANITIZED)/threads/threads
	cmake -S tests/sanitizers -B $(SANITIZED)/core -G Ninja -DPTFAST_SANITIZER=address,undefined \
	  -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python -Dpybind11_DIR=$$($(RUN) pybind11 --cmakedir)
	cmake --build $(SANITIZED)/core
	@rm -rf $(SANITIZED)/package && mkdir -p $(SANITIZED)/package
	cp -R ptfast $(SANITIZED)/package && rm -f $(SANITIZED)/package/ptfast/_C.*.so
	cp $(SANITIZED)/core/_C.*.so $(SANITIZED)/package/ptfast
	LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONPATH=$(CURDIR)/$(SANITIZED)/package \
	  $(VENV)/bin/python -P -m pytest tests/ops tests/tracking/test_linking.py tests/tracking/test_online.py \
	  -k "not emulated" --capture=sys $(ARGS)

clean: ## remove everything that was built; .venv stays, and ptfast is built anew the next time
	rm -rf build dist demo *.egg-info ptfast/_C.*.so $(INSTALLED) .pytest_cache .ruff_cache .mypy_cache .benchmarks
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
