# Everything starts here: `make` lists the targets. Needs Python 3.11+ with venv, make and the
# package registries; uv, Node, the CDK's command line and the embedded AWS come into .tools/.

PYTHON ?= python3
STAGE ?= dev
SEEDS ?= 10000
UV_VERSION := 0.13.9
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')

TOOLS := .tools
STAMPS := $(TOOLS)/stamps
UV := $(TOOLS)/uv/bin/uv
BIN := .venv/bin
CDK := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/node $(TOOLS)/cdk/node_modules/aws-cdk/bin/cdk

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup check test simulate demo local synth deploy redrive clean distclean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

setup: $(STAMPS)/python-$(PYTHON_VERSION) $(STAMPS)/ministack-$(PYTHON_VERSION) $(STAMPS)/cdk ## Install all tools into this folder

check: setup ## Format, lint, types, import rules, synth with cdk-nag
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy infra functions layers/core/python tests
	PYTHONPATH=layers/core/python $(BIN)/lint-imports
	$(CDK) synth --quiet -c stage=prod --output build/check.out

test: check ## The whole suite: first what runs alone, in parallel, then what runs deployed
	$(BIN)/pytest -n auto --dist loadgroup --ignore tests/e2e --ignore tests/benchmarks
	$(BIN)/pytest tests/benchmarks tests/e2e

simulate: setup ## Play the whole system in one process, SEEDS times, each with other faults
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

demo: setup ## The main job from end to end on this machine; ends with "demo: ok"
	$(BIN)/python -m infra.local.demo

local: setup ## Keep the whole system up on this machine until Ctrl-C
	$(BIN)/python -m infra.local.run

synth: setup ## Write the templates of STAGE (dev, prod or local) to cdk.out
	$(CDK) synth --quiet -c stage=$(STAGE)

deploy: setup ## Deploy STAGE to the AWS account of the current credentials
	$(CDK) deploy --all -c stage=$(STAGE)

redrive: setup ## Send parked messages of STAGE back to the queues they failed in
	$(BIN)/python -m infra.redrive --stage $(STAGE)

clean: ## Remove what was built; keep the tools
	rm -rf build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## Remove the tools too
	rm -rf .venv $(TOOLS)

$(STAMPS)/uv-$(UV_VERSION):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(TOOLS)/uv
	$(TOOLS)/uv/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/python-$(PYTHON_VERSION): uv.lock pyproject.toml | $(STAMPS)/uv-$(UV_VERSION)
	$(UV) sync --quiet --frozen --python $(PYTHON)
	@touch $@

$(STAMPS)/ministack-$(PYTHON_VERSION): infra/tools/ministack/requirements.txt | $(STAMPS)/python-$(PYTHON_VERSION)
	$(UV) venv --quiet --clear --python $(BIN)/python $(TOOLS)/ministack
	$(UV) pip sync --quiet --require-hashes --python $(TOOLS)/ministack/bin/python $<
	@touch $@

$(STAMPS)/cdk: infra/tools/cdk/package-lock.json | $(STAMPS)/python-$(PYTHON_VERSION)
	mkdir -p $(TOOLS)/cdk
	cp infra/tools/cdk/package.json infra/tools/cdk/package-lock.json $(TOOLS)/cdk
	cd $(TOOLS)/cdk && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --loglevel=error --ignore-scripts --no-audit --no-fund >/dev/null
	@touch $@
