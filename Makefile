# make demo    environment, install, train, evaluate, report      make setup   environment and install only
# make test    environment, install, tests                        make check   lint, types, docs, tests
# PYTHON=python3.12 picks the interpreter; TORCH_INDEX=<url> picks another build of torch;
# EXTRAS=dev,browser,cluster adds the report's browser tests (they need chromium, too) and Ray.
# make bundle  wheels of everything but torch, for a machine without a network, and a script that installs them:
#              make bundle PYTHON_VERSION=3.12 PLATFORM=manylinux_2_28_x86_64 OUT=dist/bundle EXTRAS=dev
PYTHON ?= python3
TORCH_INDEX ?=
EXTRAS ?= dev
# of a bundle: the Python and the platform that it is for (this one by default), and its folder
PYTHON_VERSION =
PLATFORM =
OUT = dist/bundle
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-slow check lint types docs docs-check bench bundle clean

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

# a bundle has the extras that the command line asks for, and none by default
bundle: setup
	$(BIN)/python bundling/bundle.py --out '$(OUT)' --python-version '$(PYTHON_VERSION)' \
	  --platform '$(PLATFORM)' --extras '$(if $(findstring command,$(origin EXTRAS)),$(EXTRAS))'

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
