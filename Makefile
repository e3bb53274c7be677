# What works on a fresh machine: run, test, check, bench. Everything else serves these.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= 1

.DEFAULT_GOAL := help
.PHONY: help run test check sanitize fuzz format bench crash lock states queries clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.run $(VENV)/.native server/pages/.built ## set everything up and run the product; DEMO=0 leaves out the demo channel
	@exec $(BIN)/sociallive demo $(if $(filter 0,$(DEMO)),--no-channel)

JOBS ?= 2
test: $(VENV)/.dev $(VENV)/.native server/pages/.built .cache/chromium ## set everything up and run all tests, in two processes; JOBS=1 ARGS=tests/chat
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.dev $(VENV)/.native web/node_modules/.installed ## format, lint, types, import layers, house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tidy.py
	$(BIN)/hadolint Dockerfile
	$(BIN)/squawk */migrations/*.sql
	npm --prefix web run --silent check
	npm --prefix web run --silent test

NATIVE_TESTS = $(shell find tests/media -name 'test_*.py' -path '*native*')
sanitize: $(VENV)/.dev $(VENV)/.native ## the tests of the native module under AddressSanitizer and UBSan
	@deploy/setup/sanitize $(VENV) $(NATIVE_TESTS)

fuzz: ## arbitrary datagrams into the native plane, by libFuzzer; SECONDS=600
	@deploy/setup/fuzz $(or $(SECONDS),600)

format: $(VENV)/.dev ## format the Python code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

BENCHES := media ledger ledger_verify chat
bench: $(addprefix bench-,$(BENCHES)) ## all benchmarks; bench-NAME runs one of: media ledger ledger_verify chat

bench-%: $(VENV)/.dev $(VENV)/.native
	@$(BIN)/python -m bench.$*

CRASHES ?= 200
crash: $(VENV)/.dev ## kill everything at random moments and check the ledger; CRASHES=200 SEED=…
	@PYTHONPATH=. $(BIN)/python -m tests.sim.campaign --crashes $(CRASHES) $(if $(SEED),--seed $(SEED))

mutants: $(VENV)/.dev ## mutation testing of the ledger's specification (ledger/transfer.py)
	@$(BIN)/mutmut run && $(BIN)/mutmut results

lock: $(VENV)/.dev ## pin the newest versions of all Python packages, with hashes
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-header \
		--extra embedded --extra demo --group build --upgrade pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-header \
		--extra embedded --extra demo --group build --group dev -c requirements/run.txt pyproject.toml \
		-o requirements/dev.txt

states: $(VENV)/.dev ## write the diagrams of the state machines into docs/ARCHITECTURE.md
	@PYTHONPATH=. $(BIN)/python docs/states.py

queries: $(VENV)/.dev ## write docs/QUERIES.md: what a working ledger asks of PostgreSQL
	@PYTHONPATH=. $(BIN)/python docs/queries.py

clean: ## remove what was built and installed here; data stays
	rm -rf $(VENV) .cache mutants server/pages web/node_modules bench/out

# ---- what the targets above need ----

$(VENV)/bin/python:
	@deploy/setup/venv $(PYTHON) $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@deploy/setup/packages $(VENV) requirements/run.txt && touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@deploy/setup/packages $(VENV) requirements/dev.txt && touch $@ $(VENV)/.run

# After the packages: setuptools is one of them.
$(VENV)/.native: setup.py $(wildcard media/native/*.[ch]) | $(VENV)/bin/python $(VENV)/.run
	@deploy/setup/native $(VENV) && touch $@

web/node_modules/.installed: web/package.json web/package-lock.json | $(VENV)/bin/python
	@deploy/setup/pages install $(VENV)
	@touch $@

server/pages/.built: web/node_modules/.installed $(shell find web -type f -not -path '*/node_modules/*' 2>/dev/null)
	@deploy/setup/pages build $(VENV)
	@touch $@

.cache/chromium:
	@deploy/setup/chromium
	@mkdir -p .cache && touch $@
