# opayo-syspro: everything is one of these targets. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := 0.13.9
DEMO   ?= --payments 120 --seed 7 --faults rough
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo serve stop test check lint types contracts format lock soak bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## create the virtual environment and install the locked packages

# uv installs the locked set in seconds; where it is not to be had, pip does the same, slower.
$(VENV)/.ready: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opayo-syspro needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV)" \
	   && $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock; then \
	   echo "installed the locked packages"; \
	 else \
	   echo "uv could not install them; using pip"; \
	   $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock; \
	 fi
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then $(BIN)/python -m ensurepip >/dev/null; fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## play one trading day through sandboxes and service, with faults on
	$(BIN)/opayo-syspro demo $(DEMO)

serve: setup ## start the sandboxes and the service, and keep them running
	$(BIN)/opayo-syspro demo $(DEMO) --keep

stop: setup ## stop the service's private database
	$(BIN)/opayo-syspro stop

test: setup ## run the test suite
	$(BIN)/pytest -n $(JOBS)

check: lint types contracts ## lint, strict types, import contracts, style budget

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports
	$(BIN)/pytest -q -p no:cacheprovider tests/contracts/test_style_budget.py

format: setup ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## resolve the dependencies anew, with hashes
	$(BIN)/python -m pip install --quiet "uv==$(UV)"
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the virtual environment and everything generated
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
