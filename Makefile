# One line a target: `make help`. Everything lives in .venv, built from the committed lock files.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PIP_BENCH := .venv-bench/bin/python -m pip --disable-pip-version-check --quiet

# one thread a process: the tests run in two processes, and thread pools only fight over the same cores
ONE_THREAD := NUMBA_NUM_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile -rs

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --extra build

.PHONY: help install install-bench demo test nightly lint scorecard bench lock clean

help:  ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.core  ## set up .venv with what the product needs
	@echo "ready: $(BIN)/footprint --help"

install-bench: .venv-bench/.bench  ## set up .venv-bench: the product beside the peers that footprint benchmark books times
	@echo "ready: .venv-bench/bin/footprint benchmark books"

demo: .venv/.core  ## the main job on a synthetic tape with a planted law, to one HTML report in out/demo
	@$(BIN)/footprint demo --out out/demo

test: .venv/.dev  ## install what the tests need and run them all
	@$(PYTEST)

nightly: .venv/.dev  ## the tests and their long forms
	@$(PYTEST) -m "nightly or not nightly"

lint: .venv/.dev  ## style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

scorecard: .venv/.dev  ## measure every acceptance bar (ISSUE=2 for one issue) to scorecard.json and docs/scorecard.md
	@$(ONE_THREAD) $(BIN)/python -m scorecard $(if $(ISSUE),--issue $(ISSUE))

bench: .venv/.dev  ## time the hot paths, one script each in benchmarks/
	@for script in benchmarks/*.py; do $(ONE_THREAD) $(BIN)/python $$script || exit 1; done

lock: .venv/.dev  ## resolve the lock files anew from pyproject.toml
	@$(LOCK) --extra store --extra live -o requirements.lock pyproject.toml
	@$(LOCK) --extra store --extra live --extra ccxt --extra bayes --extra onnx --extra tune --extra mlflow --extra dev --constraint requirements.lock -o requirements-dev.lock pyproject.toml
	@$(LOCK) --extra bench -o requirements-bench.lock pyproject.toml

clean:  ## remove .venv, .venv-bench, caches and outputs
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache out dist
	find src tests benchmarks scorecard examples -name __pycache__ -prune -exec rm -rf {} +

# stamps: a lock file that did not change is not installed twice
.venv/.core: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing from requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# torch has a build of its own for each kind of machine, so no lock can name one; what needs it comes after it
.venv/.torch: .venv/.core
	@echo "installing torch"
	@$(PIP) install torch==2.13.0
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.torch
	@echo "installing from requirements-dev.lock"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# the peers need an older numpy than the rest, hence the environment of their own
.venv-bench/.bench: requirements-bench.lock pyproject.toml | .venv/bin/python
	@echo "installing from requirements-bench.lock"
	@$(PYTHON) -m venv .venv-bench
	@$(PIP_BENCH) install --require-hashes -r requirements-bench.lock
	@$(PIP_BENCH) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or later is missing: apt-get install python3.11 python3.11-venv (or make PYTHON=/path/to/python3)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { $(PYTHON) -c 'import sys; v = "python%d.%d-venv" % sys.version_info[:2]; print(f"{v} is missing: apt-get install {v}")'; exit 1; }
	@$(PYTHON) -c 'import ctypes, sys; sys.platform != "linux" or ctypes.CDLL("libgomp.so.1")' 2>/dev/null \
		|| { echo "libgomp1 is missing: apt-get install libgomp1"; exit 1; }
	@$(PYTHON) -m venv .venv
