# Everything starts here: `make` lists the targets. Needs Python 3.11+ with venv, make and the
# package registries; uv, Node, the CDK's command line and the embedded AWS come into .tools/.

PYTHON ?= python3
STAGE ?= dev
SEEDS ?= 10000
ACTION ?= show
PARTNER ?=
FIND ?=
FUNCTION ?=
HOURS ?= 24
UV_VERSION := 0.13.9
# Which Python that is: its own file, whatever links lead there, and its version.
INTERPRETER := $(shell $(PYTHON) -c 'import os, sys; print(os.path.realpath(sys.executable), "%d.%d.%d" % sys.version_info[:3])')

TOOLS := .tools
STAMPS := $(TOOLS)/stamps
UV := $(TOOLS)/uv/bin/uv
BIN := .venv/bin
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm
NPM_CI := ci --loglevel=error --ignore-scripts --no-audit --no-fund
PAGE := infra/dashboard
PAGE_SOURCES := $(shell find $(PAGE) -name node_modules -prune -o -type f -print 2>/dev/null)
CDK := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/node $(TOOLS)/cdk/node_modules/aws-cdk/bin/cdk

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup check test page types screenshots simulate bench demo local synth deploy payments logs redrive backfill clean distclean new-enough

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-11s %s\n", $$1, $$2}'

setup: $(STAMPS)/packages $(STAMPS)/ministack $(STAMPS)/cdk $(STAMPS)/page ## Install all tools into this folder

check: setup ## Format, lint, types, import rules, synth with cdk-nag
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy infra functions layers/core/python tests
	PYTHONPATH=layers/core/python $(BIN)/lint-imports
	cd $(PAGE) && $(NPM) run --silent check && $(NPM) run --silent test
	$(CDK) synth --quiet -c stage=prod -c without-bytecode=true --output build/check.out

test: check page $(STAMPS)/chromium ## The whole suite: first what runs alone, in parallel, then what runs deployed
	$(BIN)/pytest -n auto --dist loadgroup --ignore tests/e2e --ignore tests/benchmarks
	$(BIN)/pytest -raP tests/benchmarks tests/e2e

page: build/page/index.html ## Build the partner's page into build/page

types: setup ## Write the page's types anew, from what the API serves
	PYTHONPATH=layers/core/python:functions $(BIN)/python -m tests.infra.page_types

screenshots: setup page $(STAMPS)/chromium ## Take a picture of every screen, into build/screenshots
	$(BIN)/pytest tests/e2e/test_page_screens.py

simulate: setup ## Play the whole system in one process, SEEDS times, each with other faults
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

bench: setup ## Starts, layers, lists, units, what tenants can cost each other and the sandbox costs, in one table
	$(BIN)/python -m tests.benchmarks.starts >/dev/null
	$(BIN)/python -m tests.benchmarks.sandbox_calls >/dev/null
	PYTHONPATH=layers/core/python:functions $(BIN)/python -m tests.benchmarks.tenants >/dev/null
	PYTHONPATH=layers/core/python $(BIN)/python -m tests.benchmarks.lists >/dev/null
	PYTHONPATH=layers/core/python $(BIN)/python -m tests.benchmarks.imports 1000 >/dev/null
	$(BIN)/python -m tests.benchmarks.bill >/dev/null
	PYTHONPATH=layers/core/python:functions $(BIN)/python -m tests.benchmarks.units >/dev/null
	@$(BIN)/python -m tests.benchmarks.table
	PYTHONPATH=layers/core/python:functions $(BIN)/python -m tests.benchmarks.connections

demo: setup page ## The main job from end to end on this machine; ends with "demo: ok"
	$(BIN)/python -m infra.local demo

local: setup page ## Keep the whole system up on this machine until Ctrl-C
	$(BIN)/python -m infra.local local

synth: setup ## Write the templates of STAGE (dev, prod or local) to cdk.out
	$(CDK) synth --quiet -c stage=$(STAGE) -c without-bytecode=true

deploy: setup page ## Deploy STAGE to the AWS account of the current credentials
	$(CDK) deploy --all -c stage=$(STAGE)
	$(BIN)/python -m infra.page_files --stage $(STAGE)

payments: setup ## ACTION=stop|allow|show|restored|compared payments of STAGE, of PARTNER or of all
	PYTHONPATH=layers/core/python $(BIN)/python -m infra.payment_stops $(ACTION) --stage $(STAGE) \
		$(if $(PARTNER),--partner $(PARTNER))

logs: setup ## Print the log lines of STAGE that hold each text of FIND; FUNCTION, HOURS narrow it
	@$(BIN)/python -m infra.log_search --stage $(STAGE) --hours $(HOURS) \
		$(if $(FUNCTION),--function $(FUNCTION)) -- $(FIND)

redrive: setup ## Send parked messages of STAGE back to the queues they failed in
	$(BIN)/python -m infra.redrive --stage $(STAGE)

backfill: setup ## Give stored records of STAGE their search keys, once after the deploy
	PYTHONPATH=layers/core/python $(BIN)/python -m infra.search_backfill --stage $(STAGE)

clean: ## Remove what was built; keep the tools
	rm -rf build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

distclean: clean ## Remove the tools too
	rm -rf .venv $(TOOLS) $(PAGE)/node_modules

new-enough:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'

$(STAMPS)/uv-$(UV_VERSION): | new-enough
	$(PYTHON) -m venv $(TOOLS)/uv
	$(TOOLS)/uv/bin/python -m pip install --quiet uv==$(UV_VERSION)
	@mkdir -p $(STAMPS)
	@touch $@

# Tells which Python .venv was made with; for another one, it and what builds on it are made anew.
.venv/made-with: new-enough | $(STAMPS)/uv-$(UV_VERSION)
	@if [ "$$(cat $@ 2>/dev/null)" != "$(INTERPRETER)" ]; then set -ex; \
	  $(UV) venv --quiet --clear --python "$(firstword $(INTERPRETER))" .venv; \
	  echo "$(INTERPRETER)" >$@; fi

$(STAMPS)/packages: uv.lock pyproject.toml .venv/made-with
	$(UV) sync --quiet --frozen --python $(BIN)/python
	@touch $@

$(STAMPS)/ministack: infra/tools/ministack/requirements.txt .venv/made-with
	$(UV) venv --quiet --clear --python $(BIN)/python $(TOOLS)/ministack
	$(UV) pip sync --quiet --require-hashes --python $(TOOLS)/ministack/bin/python $<
	@touch $@

$(STAMPS)/cdk: infra/tools/cdk/package-lock.json | $(STAMPS)/packages
	mkdir -p $(TOOLS)/cdk
	cp infra/tools/cdk/package.json infra/tools/cdk/package-lock.json $(TOOLS)/cdk
	cd $(TOOLS)/cdk && $(NPM) $(NPM_CI) >/dev/null
	@touch $@

$(STAMPS)/page: $(PAGE)/package-lock.json | $(STAMPS)/packages
	cd $(PAGE) && $(NPM) $(NPM_CI) >/dev/null
	@touch $@

build/page/index.html: $(PAGE_SOURCES) $(STAMPS)/page
	cd $(PAGE) && $(NPM) run --silent build

# A browser for the tests of the page, unpacked by its package's own program; it says that it is
# in Lambda, where that unpacks the libraries that a bare machine lacks.
$(STAMPS)/chromium: infra/tools/chromium/package-lock.json infra/tools/chromium/fonts.conf | $(STAMPS)/packages
	rm -rf $(TOOLS)/chromium && mkdir -p $(TOOLS)/chromium/unpacked
	cp infra/tools/chromium/* $(TOOLS)/chromium
	cd $(TOOLS)/chromium && $(NPM) $(NPM_CI) >/dev/null
	cd $(TOOLS)/chromium && TMPDIR=$$PWD/unpacked AWS_EXECUTION_ENV=AWS_Lambda_nodejs24.x \
		$(CURDIR)/$(BIN)/node -e 'import("@sparticuz/chromium").then((m) => m.default.executablePath())'
	@touch $@
