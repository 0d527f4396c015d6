# Two commands are all a newcomer needs: make run, make test. The rest is for those who change the code.
VENV    := .venv
CLIENTS := tests/clients
SETUP   := $(VENV)/bin/python -m pip --quiet --quiet --disable-pip-version-check install

.PHONY: run test check fast chaos soak bench mutate lock docs told

run: $(VENV)/ready
	@exec $(VENV)/bin/syncledger serve

test: check $(CLIENTS)/node_modules/ready $(VENV)-clients/ready
	@$(VENV)/bin/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder --cov --cov-report=term-missing:skip-covered
	@$(VENV)/bin/coverage report --include="domain/*,eventstore/*" --fail-under=100 --skip-covered --show-missing

check: $(VENV)/ready
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo

# Only what needs no server: less than a minute.
fast: $(VENV)/ready
	@$(VENV)/bin/pytest -m "not postgres"

# The long forms: kills and reconnects; a hundred thousand queries, fuzzing, sockets that never read; the workloads beside their limits; mutants of domain/.
chaos: $(VENV)/ready
	@$(VENV)/bin/pytest -m chaos --chaos=long
soak: $(VENV)/ready
	@$(VENV)/bin/python -m bench.soak
bench: $(VENV)/ready
	@$(VENV)/bin/python -m bench
mutate: $(VENV)/ready
	@PYTHONPATH=tests $(VENV)/bin/mutmut run && $(VENV)/bin/mutmut results

# What is written by a program: the schema, the lists of events and of operators, the sync rules.
docs: $(VENV)/ready
	@$(VENV)/bin/syncledger schema > schema.graphql
	@$(VENV)/bin/python -m tests.generate_events_page > docs/events.md
	@$(VENV)/bin/python -m tests.generate_operators_page > docs/operators.md
	@$(VENV)/bin/python -m tests.generate_rules_page > docs/rules.md

# What is told, word by word, as tests expect it. Read what differs before it is kept.
told: $(VENV)/ready
	@$(VENV)/bin/python tests/generate_told_reasons.py > tests/facts/told-reasons.txt
	@$(VENV)/bin/python tests/generate_told_problems.py > tests/facts/told-problems.txt
	@git diff --stat tests/facts

lock: $(VENV)/ready
	@$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --output-file requirements.lock
	@cd $(CLIENTS) && $(CURDIR)/$(VENV)/bin/uv pip compile requirements.in --universal --python-version 3.12 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

$(VENV)/ready: $(VENV)/locked pyproject.toml
	@$(SETUP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/locked: requirements.lock
	@rm -rf $(VENV)
	@for python in $(or $(PYTHON),python3.13 python3.14 python3.12 python3 python); do \
	   "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' $(if $(PYTHON),,2>/dev/null) || continue; \
	   echo "setting up $(VENV) with $$("$$python" -V), once"; exec "$$python" -m venv $(VENV); \
	 done; \
	 command -v uv >/dev/null && uv venv --quiet --seed --python 3.13 $(VENV) && exit; \
	 echo 'Python 3.12 or newer is needed. Install it or uv, or name one: make PYTHON=/path/to/python3.13' >&2; exit 1
	@# The lock is whole; an old pip would look for what extras of it want.
	@$(SETUP) --require-hashes --no-deps --only-binary :all: -r requirements.lock
	@touch $@

# Clients that others wrote, for the tests alone: those for Node, and a Python one that wants another graphql-core.
$(CLIENTS)/node_modules/ready: $(CLIENTS)/package-lock.json
	@if node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null; then \
	   echo "setting up $(@D), once"; npm ci --prefix $(CLIENTS) --loglevel=error >/dev/null && touch $@; \
	 else \
	   echo 'There is no Node 20 or newer with npm, so the tests with its clients are skipped.'; \
	 fi

$(VENV)-clients/ready: $(CLIENTS)/requirements.lock | $(VENV)/ready
	@echo "setting up $(@D), once"
	@$(VENV)/bin/python -m venv --clear --without-pip $(@D)
	@PIP_PYTHON=$(@D) $(SETUP) --require-hashes --no-deps --only-binary :all: -r $<
	@touch $@
