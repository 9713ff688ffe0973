# Watchword's commands. `make` lists them. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help demo test check fix test-torch test-browser test-shared docs bench clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.base: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch .venv/.base $@

# The CPU build is asked for by its exact version: an open range may fetch gigabytes of CUDA.
.venv/.torch: .venv/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,torch,vlm,parity]'
	@touch $@

demo: .venv/.base ## set up, and find the events of the clip that ships with Watchword
	$(BIN)/watchword demo

test: .venv/.dev ## set up, and run the tests
	$(BIN)/python -m pytest -q -n auto $(ARGS)

check: .venv/.dev ## format, lint, types, imports, generated documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/generate_docs.py --check

fix: .venv/.dev ## format, mend what can be mended, write generated documents
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python scripts/generate_docs.py

test-torch: .venv/.torch ## tests of the torch extra (installs PyTorch)
	$(BIN)/python -m pytest -q -n auto -m "torch and not shared" $(ARGS)

test-browser: .venv/.dev ## tests that open the report in Chromium
	$(BIN)/python -m pytest -q -m "browser and not shared" $(ARGS)

test-shared: .venv/.dev ## tests that need the shared clips and fixtures
	$(BIN)/python -m pytest -q -n auto -m shared $(ARGS)

bench: .venv/.torch ## measure, and write the README's numbers
	$(BIN)/python benchmarks/speed.py --write

clean: ## remove what this Makefile made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
