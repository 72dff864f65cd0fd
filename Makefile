# Everything runs in .venv, which `make` makes by itself from hashed locks; nothing is to be activated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# The services' locks before the one that is constrained by them.
LOCKS := services/api/requirements.txt services/worker/requirements.txt requirements/bootstrap.txt \
	requirements/dev.txt sim/cloud/localstack/requirements.txt
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
export UV_NO_CONFIG := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lock clean

help: ## show this
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(READY) ## make .venv, if it is not there or the locks have changed

demo: $(READY) ## run the pipeline on real e-mails and show them arrive in S3
	@$(BIN)/sim demo

test: $(READY) ## run all tests
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup

check: $(READY) ## check format, lint, types and the direction of imports
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 1

bench: $(READY) ## measure the services against a plain implementation of the same
	@$(BIN)/python -m bench

lock: $(READY) ## work out the locks anew from the requirements
	@for lock in $(LOCKS); do $(BIN)/$(COMPILE) $${lock%.txt}.in -o $$lock || exit; done

clean: ## remove all that make has made
	rm -rf $(VENV) .sim build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is older: make PYTHON=python3.11 ..."; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is not whole: on Debian, apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
