# Everything happens in .venv, which the first target that needs it makes.
# PYTHON=python3.12 make up    chooses another Python for it.

PYTHON ?=
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
SETUP := pyproject.toml constraints.txt
MARKS := -m "not slow"

# The first Python that is new enough: the one asked for, or python3, or a newer one beside it.
usable = import sys; sys.exit(sys.version_info < (3, 11))
found = $(shell for name in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	"$$name" -c '$(usable)' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
modules = $(shell "$(found)" -c 'import ensurepip, sqlite3, venv' >/dev/null 2>&1 && echo there)
writable = $(shell test -w . && echo yes)
define ready
$(if $(found),,$(error $(or $(PYTHON),python3) is no Python 3.11 or newer: install one, or name it with PYTHON=python3.12))
$(if $(modules),,$(error $(found) lacks its module venv or sqlite3: on Debian and Ubuntu, apt-get install python3-venv))
$(if $(writable),,$(error the folder $(CURDIR) cannot be written: make it writable, or clone into another one))
endef

# uv installs in seconds; where it is not to be had, pip does the same in a minute or two.
install = if [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '$(1)'; then :; \
	else echo "installing with pip, which takes a while"; $(BIN)/python -m pip install --quiet -c constraints.txt -e '$(1)'; fi

.DEFAULT_GOAL := help
.PHONY: help up test quick bench lint types clean
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

up: $(VENV)/.installed ## Start Dagster with the digits example (or ML_REGRESS_WORKSPACE); Ctrl-C ends it
	@exec $(BIN)/ml-regress up

test: $(VENV)/.installed-test ## Run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

quick: $(VENV)/.installed-test ## Run the fast tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(MARKS) $(ARGS)

bench: $(VENV)/.installed-test ## Run every script of benchmarks/; each prints its figures beside their limits
	@failed=; for script in $(sort $(wildcard benchmarks/[a-z]*.py)); do \
		$(BIN)/python $$script || failed="$$failed $$script"; done; \
	if [ -n "$$failed" ]; then echo "did not run to the end:$$failed" >&2; exit 1; fi

lint: $(VENV)/.installed-test ## Check style and formatting (ruff)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.installed-test ## Check types (mypy, strict on ml_regress)
	@$(BIN)/mypy

clean: ## Remove the environment, builds and caches; workspace/ is kept
	rm -rf $(VENV) dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './workspace/*' -prune -exec rm -rf {} +

$(BIN)/python:
	$(ready)
	@echo "making $(VENV) with $$("$(found)" --version); this happens once"
	@"$(found)" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true

$(VENV)/.installed: $(BIN)/python $(SETUP)
	@$(call install,.)
	@touch $@

# The tests' environment holds all that a user's does.
$(VENV)/.installed-test: $(BIN)/python $(SETUP)
	@$(call install,.[test])
	@touch $@ $(VENV)/.installed
