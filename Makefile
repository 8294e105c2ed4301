# One command to try Whitefelt, one to test it. Both set everything up by themselves; neither needs root.
# A Python of 3.11 or newer is found by itself; another one is named with PYTHON=/path/to/python3.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export PYTHON

ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= 2
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
FOLDERS := platform tests benchmarks migrations tools wsgi.py

.DEFAULT_GOAL := help
.PHONY: help demo test check ci lint types imports house lock format clean run-setup dev-setup

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: run-setup ## Start a whole platform with two brands; ARGS="--port 8000 --json" are passed on
	@exec $(BIN)/python tools/foreground.py $(BIN)/whitefelt demo $(ARGS)

test: dev-setup ## Run the tests (under ten minutes); PYTEST_ARGS="-k wallet" are passed on
	@$(PYTEST) -n $(WORKERS) --dist loadfile -m "not long" $(PYTEST_ARGS)

check: lint types imports house ## Style, types, direction of imports, rules of the house

ci: ## What must pass before a change lands: test, check, then the longer forms
	@$(MAKE) test
	@$(MAKE) check
	@$(PYTEST) -m long; status=$$?; [ $$status -eq 0 ] || [ $$status -eq 5 ]

lint: dev-setup
	@$(BIN)/ruff check $(FOLDERS)
	@$(BIN)/ruff format --check $(FOLDERS)

types: dev-setup
	@$(BIN)/mypy

imports: dev-setup
	@$(BIN)/lint-imports --no-cache

house: dev-setup
	@$(PYTEST) -q tests/test_house.py tests/test_house_tables.py

format: dev-setup ## Format the code and sort its imports
	@$(BIN)/ruff check --fix-only --select I $(FOLDERS)
	@$(BIN)/ruff format $(FOLDERS)

# Universal: one lock for every system and every Python from 3.11; without any index's address. Needs uv.
LOCKING := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet

lock: ## Make the two hashed locks anew from pyproject.toml (needs uv); UPGRADE=--upgrade takes newer versions
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	@$(LOCKING) $(UPGRADE) --extra embedded --extra build -o requirements.lock
	@$(LOCKING) $(UPGRADE) --extra embedded --extra build --extra dev -o requirements-dev.lock

clean: ## Remove what set-up and tests made here (not a demo's data)
	@rm -rf .venv .setup.lock build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find platform tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
	@find . -maxdepth 2 -name '*.egg-info' -type d -exec rm -rf {} +

run-setup:
	@tools/setup run

dev-setup:
	@tools/setup dev
