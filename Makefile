# `make test` is what CI runs. A machine needs Python 3.11 or later with pip; everything else goes into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard wsolkit plugins configs tests tools benchmarks docs)
SHIPPED := $(shell find wsolkit plugins configs -type f -not -name '*.pyc')
WORKERS ?= 2
RESULTS ?= synthetic # with WSOLKIT_DATA, also birds50, voc and tiles: hours

.DEFAULT_GOAL := help
.PHONY: help demo test lint types unit quick fix docs linkcheck futures extras results clean

help:  ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## install, train on drawn scenes, and print a table and where the files are
	$(BIN)/python tools/demo.py

test: $(VENV)/.testing  ## install with the test tools; ruff, mypy, pytest and doctests, also where one of them fails
	@$(MAKE) --no-print-directory --keep-going lint types unit

lint: $(VENV)/.testing
	$(BIN)/python -m ruff check $(SOURCES)
	$(BIN)/python -m ruff format --check $(SOURCES)

types: $(VENV)/.testing
	$(BIN)/python -m mypy

unit: $(VENV)/.testing
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

quick: $(VENV)/.testing  ## the tests that take less than 5 s each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not slow'

fix: $(VENV)/.testing  ## let ruff correct what it can
	$(BIN)/python -m ruff check --fix $(SOURCES)
	$(BIN)/python -m ruff format $(SOURCES)

docs: $(VENV)/.testing  ## build the site into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

linkcheck: $(VENV)/.testing  ## try the links of the site that lead to other sites
	$(BIN)/python -m sphinx -q -W --keep-going -b linkcheck docs docs/_build/linkcheck

futures: $(VENV)/.testing  ## try fresh environments: lowest versions, new setuptools, onedl-mmengine, Python 3.12 and 3.13
	$(BIN)/python tools/fresh_environments.py futures

extras: $(VENV)/.testing  ## install each extra alone into a fresh environment, and try what it is for
	$(BIN)/python tools/fresh_environments.py extras

results: $(VENV)/.testing  ## measure the table on the built-in scenes again, and write it into RESULTS.md and the cards
	$(BIN)/python tools/results.py --run $(RESULTS)

clean:  ## remove .venv and what was built
	rm -rf $(VENV) build dist docs/_build docs/methods .mypy_cache .ruff_cache .hypothesis

# The stamps keep a second run from installing again while nothing has changed that is installed.

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wsolkit needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml $(SHIPPED) | $(BIN)/python
	$(BIN)/python -m pip install --quiet $(if $(wildcard $(VENV)/.testing),--editable) .
	touch $@

$(VENV)/.testing: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test,docs]'
	touch $@ $(VENV)/.installed
