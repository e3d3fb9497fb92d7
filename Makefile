# opayo-syspro: everything is one of these targets. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := 0.13.9
CERTS  := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)
DEMO   ?= --payments 120 --seed 7 --faults rough
PORT   ?= 8080
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: bench help setup demo serve stop test soak check lint types contracts format handbook lock clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create the virtual environment and install the locked packages

# uv installs the locked set in seconds; where it is not to be had, pip does the same, slower.
$(VENV)/.ready: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "opayo-syspro needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV)" \
	   && UV_HTTP_TIMEOUT=30 UV_HTTP_RETRIES=1 $(BIN)/uv pip sync $(CERTS) --quiet --python $(BIN)/python --require-hashes requirements-dev.lock; then \
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

serve: setup ## the same, and everything keeps running until Ctrl-C: http://127.0.0.1:8080/schema
	$(BIN)/opayo-syspro demo $(DEMO) --keep --port $(PORT)

stop: setup ## stop private databases that were left running
	$(BIN)/opayo-syspro stop
	OPAYO_SYSPRO_DATA_DIR=var/demo/service $(BIN)/opayo-syspro stop

test: setup ## run the test suite
	$(BIN)/pytest -n $(JOBS) -m "not soak"

bench: setup ## measure the road beside a script that remembers nothing
	$(BIN)/python -m tests.bench

soak: setup ## run the long tests, with the full counts
	$(BIN)/pytest -n $(JOBS) -m soak

check: lint types contracts ## lint, strict types, import contracts, style budget

lint: setup ## ruff and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: setup ## mypy, strict
	$(BIN)/mypy

contracts: setup ## import contracts and style budget
	$(BIN)/lint-imports
	$(BIN)/pytest -q -p no:cacheprovider tests/contracts/test_style_budget.py

handbook: setup ## write the handbook's tables anew from the code
	$(BIN)/python -m tests.contracts.handbook

format: setup ## rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## resolve the dependencies anew, with hashes
	$(BIN)/python -m pip install --quiet "uv==$(UV)"
	$(BIN)/uv pip compile $(CERTS) --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile $(CERTS) --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean: ## remove the virtual environment and everything generated
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
