# Two commands matter: `make demo` and `make test`. Both set up everything they need, with Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 8000
TESTS ?= 2
export PORT

.DEFAULT_GOAL := help
.PHONY: help demo test lint types architecture check bench bench-smoke abuse abuse-smoke smoke browser lock catalogs schema clean

help: ## Print this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(STAMP) ## Set up everything and run the hub on real data (PORT=8000, WEGO_HOME=.wego)
	exec $(BIN)/wego demo

test: $(STAMP) ## Set up everything and pass the tests (own throwaway PostgreSQL, TESTS=2 processes)
	$(BIN)/python -m pytest -n $(TESTS) --dist loadfile

lint: $(STAMP) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/wego schema --check

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

architecture: $(STAMP) ## The one rule of direction
	$(BIN)/lint-imports --no-cache

check: lint types architecture test ## Everything that guards a commit

smoke: $(STAMP) ## Start the demonstration in a fresh folder and ask it
	$(BIN)/python tests/smoke.py

bench: $(STAMP) ## All benchmarks, with ratios; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.token_rate 3 | tee -a benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.token_reads | tee -a benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.growth | tee -a benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.writers 3 | tee -a benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.listeners | tee -a benchmarks/RESULTS.md

bench-smoke: $(STAMP) ## The benchmarks' short form: do they run and answer rightly?
	$(BIN)/python -m benchmarks.run --smoke
	$(BIN)/python -m benchmarks.growth --smoke
	$(BIN)/python -m benchmarks.writers --smoke
	$(BIN)/python -m benchmarks.listeners --smoke

abuse: $(STAMP) ## Attack a hub with 50,000 practices; print what others notice and what it keeps (ABUSE="--minutes 60")
	$(BIN)/python -m benchmarks.abuse $(ABUSE)

browser: ## Install the browser of the browser tests, where apt is there
	command -v chromium chromium-browser google-chrome || { apt-get update -qq && apt-get install -y --no-install-recommends chromium fonts-noto-core fonts-noto-cjk; }

abuse-smoke: $(STAMP) ## The attacks' short form: does the hub live, keep little, and never fail?
	$(BIN)/python -m benchmarks.abuse --smoke

schema: $(STAMP) ## Write wego/schema.graphql from the code
	$(BIN)/wego schema --write

catalogs: $(STAMP) ## Extract sentences and bring the catalogs up to date
	$(BIN)/python -m i18n.language.extract

lock: ## Write requirements.lock with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --extra demo --extra dev -o requirements.lock pyproject.toml

clean: ## Remove the environment and caches (not .wego, which holds data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache build dist
