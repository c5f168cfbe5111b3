# Jifen: `make help` lists what can be done here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# More than the two cores: a third of the time a test waits for a disk, a server or a clock.
# By name: the longest files, which have few tests, are not left for the end.
WORKERS := -n 4 --dist loadfile --no-loadscope-reorder
# Where slow tests are: to collect the others once more would take each worker half a minute.
SLOW = $(shell grep -rl --include='*.py' mark.slow tests)

.DEFAULT_GOAL := help
.PHONY: help setup demo run test thorough coverage check format bench verify clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(READY) ## Create the virtual environment with the locked dependencies

demo: $(READY) ## Start everything and replay real purchases through the gateway (ARGS="--full" for all of them)
	@$(BIN)/python -m deploy.local demo $(ARGS)

run: $(READY) ## Start everything and keep it up until Ctrl-C
	@$(BIN)/python -m deploy.local run $(ARGS)

verify: $(READY) ## Check the invariants of the running system
	@$(BIN)/python -m deploy.local verify $(ARGS)

test: $(READY) ## Run the whole test suite on its own throw-away servers (ARGS="tests/unit -k lots" for some of it)
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest $(WORKERS) -m "not slow"
	$(BIN)/python -m pytest $(WORKERS) -m slow $(SLOW)
endif

thorough: $(READY) ## Run the suite with ten times the examples and all of Schemathesis' cases (two hours; before a release)
	THOROUGH=1 $(BIN)/python -m pytest $(WORKERS) -m "not slow" --timeout 3600
	THOROUGH=1 $(BIN)/python -m pytest $(WORKERS) -m slow --timeout 3600 $(SLOW)

coverage: $(READY) ## Check that rules and use cases are covered by every branch (tracing doubles the time of the tests)
	$(BIN)/python -m pytest $(WORKERS) -m "not slow" --cov

check: $(READY) ## Lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Format the code and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## Measure the system against the limits of this machine
	@$(BIN)/python -m bench $(ARGS)

clean: ## Remove the local data (asks first)
	@$(BIN)/python -m deploy.local clean $(ARGS)
