# From a fresh clone, with Python and make and nothing else: `make test`, `make compare`. Every target sets up what it needs.

PYTHON  ?= python3
ARGS    ?=
WORKERS ?= 2
SHELL   := /bin/sh

VENV   := .venv
OLDEST := .venv-oldest
PY     := $(VENV)/bin/python

# The oldest supported versions run every test of single environments: all but these, which need torch, the native vector
# environment (Gymnasium 1.1), Matplotlib, videos, PettingZoo's newest checks, or what only builds the package.
# Those of walking environments and of diagnosing agents (tests/extraction, tests/diagnosis) run on the newest versions alone.
NEWEST_ONLY  := $(patsubst %,tests/test_%.py,architecture packaging pages readme results_page stable_baselines3) \
                $(patsubst %,tests/envs/test_%.py,checks tabular_vector_env vector_state)
OLDEST_TESTS := $(filter-out $(NEWEST_ONLY),$(wildcard tests/test_*.py tests/envs/test_*.py tests/mdp tests/options tests/worlds))

# ARGS goes to the job: make test ARGS="-k solve", make compare ARGS="--preset quick".

.DEFAULT_GOAL := help
.PHONY: help test test-oldest check format compare bench proofs gallery docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

test: $(VENV)/.installed  ## run the tests, then those of single environments on the oldest versions
	$(PY) -m pytest -q -n $(WORKERS) --dist worksteal $(ARGS)
	@$(MAKE) --no-print-directory test-oldest ARGS=

test-oldest: $(OLDEST)/.installed  ## run the tests of single environments on the oldest versions
	$(OLDEST)/bin/python -m pytest -q $(OLDEST_TESTS) $(ARGS)

check: $(VENV)/.installed  ## lint, formatting, types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(VENV)/.installed  ## mend what ruff can mend
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

compare: $(VENV)/.installed  ## train agents on worlds and print how far each ends from the exact optimum
	$(PY) -m baselines compare $(ARGS)

bench: $(VENV)/.installed  ## measure what the README's speed claims rest on
	@set -e; for script in benchmarks/*.py; do echo "$(PY) $$script"; $(PY) "$$script"; done

proofs: $(VENV)/.installed  ## reproduce published results and write docs/proofs.md
	$(if $(ARGS),,RL_ENVS_PROOFS_PAGE=docs/proofs.md) $(PY) -m pytest -q -m proofs --timeout 7200 -n $(WORKERS) $(or $(ARGS),tests/proofs)

gallery: $(VENV)/.installed  ## draw the pictures of the worlds
	$(PY) docs/make_gallery.py

docs: $(VENV)/.installed  ## write the worlds' pages and the README's tables from the code
	$(PY) docs/make_pages.py
	$(PY) docs/make_readme.py

clean:  ## remove the virtual environments, the caches and what was built; results/ stays
	rm -rf $(VENV) $(OLDEST) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Setting up ------------------------------------------------------------------------------------------------------------

NEWEST_EXTRAS := .[all,ray,tune,dev,benchmarks]
OLDEST_EXTRAS := .[games,render,test]

# $(call install,folder,constraints file,what to install)
#
# The stamp is the last thing made and the first removed, so an environment without one was interrupted, and is built anew;
# one with an old stamp is brought up to date. It keeps its Python: `make clean` before changing PYTHON.
# The package is built without isolation, so that the build backend is the pinned one too. Pip warns about every odd thing in
# the machine's configuration, so only its errors are shown.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "rl-envs needs Python 3.10 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1); try make PYTHON=python3.11"; exit 1; }
	@set -e; \
	echo "Installing into $(1), from the versions in $(2) ..."; \
	if [ ! -e $@ ]; then rm -rf $(1); $(PYTHON) -m venv $(1); fi; \
	rm -f $@; \
	pip="$(1)/bin/python -m pip --disable-pip-version-check -q -q"; \
	$$pip install -c $(2) hatchling editables; \
	$$pip install -c $(2) --no-build-isolation -e '$(3)'; \
	touch $@
endef

$(VENV)/.installed: pyproject.toml constraints.txt
	$(call install,$(VENV),constraints.txt,$(NEWEST_EXTRAS))

$(OLDEST)/.installed: pyproject.toml constraints-oldest.txt
	$(call install,$(OLDEST),constraints-oldest.txt,$(OLDEST_EXTRAS))
