# Every target's raw command stands beside it in README.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
TESTS ?= tests
# Debian packages that some tests need: the pages are read in a real browser.
TEST_PACKAGES := chromium fonts-liberation
LOCK := pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-header --no-annotate

.PHONY: help venv demo test check coverage bench docs assets test-deps lock

help: ## List the targets
	@echo "make <target>, one of:"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):[^#]*## /  \1: /p' $(MAKEFILE_LIST)

venv: $(VENV)/.product ## Make .venv with the product and its development tools, from the hashed lists

demo: $(VENV)/.product ## Run the whole story on a synthetic borough (makes .venv if it is missing)
	$(BIN)/gateway demo

test: $(VENV)/.product ## Run the tests (makes .venv if it is missing)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(MAKE) --no-print-directory test-deps; fi
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

check: $(VENV)/.product ## Check style, types and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

coverage: $(VENV)/.product ## Run the tests of the rooms and refuse a line or branch that none of them reaches
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist loadfile -q tests/rooms tests/properties tests/policies tests/spec
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

bench: $(VENV)/.product ## Measure the published benchmarks beside what a user would do instead
	$(BIN)/gateway bench

docs: $(VENV)/.product ## Write the generated pages of docs/reference anew
	$(BIN)/python docs/generate.py

assets: ## Rebuild the committed CSS and JavaScript of the pages (needs Node)
	cd gateway/web/assets && npm ci --silent && npm run --silent build

test-deps: ## Install the Debian packages that some tests need (a browser)
	@if dpkg-query -W $(TEST_PACKAGES) >/dev/null 2>&1; then echo "The tests have what they need."; \
	else apt-get update -qq && apt-get install -y -qq --no-install-recommends $(TEST_PACKAGES); fi

lock: ## Write the hashed requirement lists anew (for maintainers; needs uv)
	cd requirements && uv $(LOCK) build.in ../pyproject.toml --extra dev -o dev.txt
	cd requirements && uv $(LOCK) build.in ../pyproject.toml -c dev.txt -o run.txt

$(VENV)/.requirements: requirements/dev.txt
	@.ci/make-venv $(VENV)
	$(BIN)/python -m pip install -qq --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.product: $(VENV)/.requirements pyproject.toml setup.py $(wildcard gateway/*/*.c gateway/*/*.h)
	$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@
