# make demo    environment, install, train, evaluate, report      make setup   environment and install only
# make test    environment, install, tests                        make check   lint, types, docs, tests
# PYTHON=python3.12 picks the interpreter; TORCH_INDEX=<url> picks another build of torch;
# EXTRAS=dev,browser,cluster adds the report's browser tests (they need chromium, too) and Ray.
PYTHON ?= python3
TORCH_INDEX ?=
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-slow check lint types docs docs-check bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "myopia needs Python 3.11 to 3.13, but $(PYTHON) is $$($(PYTHON) --version 2>&1): say make PYTHON=python3.12"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(STAMP)

demo: setup
	$(BIN)/myopia demo

test: setup
	$(PYTEST) -m "not slow"

test-slow: setup
	$(PYTEST)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

docs: setup
	$(BIN)/python -m myopia.cli.docs

docs-check: setup
	$(BIN)/python -m myopia.cli.docs --check

check: lint types docs-check test

bench: setup
	$(BIN)/myopia bench envs

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
