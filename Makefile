# Needs make and a Python 3.11, 3.12 or 3.13; everything else goes into .venv, pinned by constraints.txt.
# PYTHON=/path/to/python chooses the interpreter, otherwise the newest that .ci/pythons finds; VENV=directory another
# place for the environment; ARGUMENTS="-k orders" goes to the test runner; GATE=on makes "test" and "everything" fail,
# too, when the tests leave out anything of the project's own charts that is possible (docs/coverage.md).

PYTHON ?=
VENV ?= .venv
ARGUMENTS ?=
GATE ?=
GATE_OPTIONS := --fsm-cov=mm_fsm.machine.market_making:MarketMakingStateMachine \
	--fsm-cov=mm_fsm.books.order_lifecycle:OrderLifecycle --fsm-cov-report=term-missing \
	--fsm-cov-fail-under=states:100,transitions:100,guards:100,mcdc:100,pairs:100,roundtrip:100,sneak:100
BIN := $(VENV)/bin
# Running needs less than working on it does: the first stamp is for what runs, the second for all the rest.
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
# A name for each package, so that the wait says what it waits for; what goes wrong is on standard error.
SHOW_PACKAGES := sed -n -u 's/^Collecting \([A-Za-z0-9_.-]*\).*/  \1/p'
SHELL := bash
.SHELLFLAGS := -o pipefail -c

# Only what is in .venv counts.
unexport PYTHONPATH PYTHONHOME

.PHONY: help demo environment test everything coverage mutants sweep lint format types diagrams docs check bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

demo: $(RUNS) ## make a market on the paper exchange for 15 simulated minutes; results under runs/demo
	$(BIN)/mm-fsm run --duration 15m --speed max --seed 7 --out runs/demo

environment: $(READY) ## set up .venv, or bring it up to date

test: $(READY) ## run the tests, all but the slow ones
	$(BIN)/python -m pytest --numprocesses auto -m 'not slow' $(if $(GATE),$(GATE_OPTIONS)) $(ARGUMENTS)

everything: $(READY) ## run every test, the slow ones too
	$(BIN)/python -m pytest --numprocesses auto $(if $(GATE),$(GATE_OPTIONS)) $(ARGUMENTS)

# As in continuous integration, where the examples of a test derive from the test itself.
coverage: $(READY) ## run the tests under the gate, and draw what they exercise into diagrams/coverage
	CI=true $(MAKE) test GATE=on ARGUMENTS='--ignore=tests/coverage/test_own_suite.py --fsm-cov-report=svg:diagrams/coverage $(ARGUMENTS)'

mutants: $(READY) ## ask the tests of the market-making chart whether they notice every small fault in it
	CI=true $(BIN)/python -m pytest -n 0 -m 'not slow' tests/machine --fsm-cov-criteria=states \
		--fsm-mutate=mm_fsm.machine.market_making:MarketMakingStateMachine --fsm-cov-fail-under=mutation:95 $(ARGUMENTS)

sweep: $(READY) ## draw and watch every chart of python-statemachine's own tests; run these tests with and without us
	$(BIN)/python tests/sweep/charts.py
	$(BIN)/python tests/sweep/own_suite.py

lint: $(READY) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## put style and formatting right where that can be done by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## check types, strictly
	$(BIN)/mypy --strict mm_fsm

diagrams: $(READY) ## draw the committed diagrams again from the definitions, and write what documents say of them
	$(BIN)/mm-fsm diagram
	$(BIN)/python docs/site/written_parts.py

docs: $(READY) ## write the documentation as a site to site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

check: lint types test ## lint, types, tests, and whether the committed diagrams are up to date
	$(BIN)/mm-fsm diagram --check

bench: $(READY) ## run every benchmark of this project alone; benchmarks/peers.py compares it with others
	@for benchmark in $(filter-out %/decisions.py %/page_load.py %/peers.py %/rehearsed_run.py %/where_time_goes.py,$(wildcard benchmarks/*.py)); do echo "$$benchmark"; $(BIN)/python "$$benchmark" || exit 1; done

clean: ## remove what make and the tools made, .venv too; runs/ stays
	rm -rf .venv dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter that is named wins over the one that is there.
ifneq ($(PYTHON),)
ifneq ($(shell $(BIN)/python --version 2>/dev/null),$(shell "$(PYTHON)" --version 2>/dev/null))
.PHONY: $(RUNS)
endif
endif

$(RUNS): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] && .ci/pythons $(BIN)/python >/dev/null 2>&1; then \
		echo "bringing $(VENV) up to date"; \
	else \
		found=$$(.ci/pythons $(if $(PYTHON),"$(PYTHON)")) || exit 1; \
		python=$$(echo "$$found" | head -n 1 | cut -f 2); \
		echo "setting up $(VENV) with $$("$$python" --version), once: what running needs"; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@$(PIP_INSTALL) hatchling | $(SHOW_PACKAGES)
	@$(PIP_INSTALL) --no-build-isolation --editable '.[pictures]' | $(SHOW_PACKAGES)
	@touch $@

$(READY): $(RUNS)
	@echo "setting up $(VENV), once: what tests and development need"
	@$(PIP_INSTALL) --no-build-isolation --editable '.[all]' | $(SHOW_PACKAGES)
	@$(BIN)/python tests/sweep/source.py
	@touch $@
