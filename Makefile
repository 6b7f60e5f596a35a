# Needs make and a Python 3.11, 3.12 or 3.13; everything else goes into .venv, pinned by constraints.txt.
# PYTHON=/path/to/python chooses the interpreter; ARGUMENTS="-k orders" goes to the test runner; GATE=on makes "test"
# fail, too, when the tests leave out anything of the project's own charts that is possible (docs/coverage.md).

PYTHON ?=
ARGUMENTS ?=
GATE ?=
GATE_OPTIONS := --fsm-cov=mm_fsm.machine.market_making:MarketMakingStateMachine \
	--fsm-cov=mm_fsm.books.order_lifecycle:OrderLifecycle --fsm-cov-report=term-missing \
	--fsm-cov-fail-under=states:100,transitions:100,guards:100,mcdc:100,pairs:100,roundtrip:100,sneak:100
BIN := .venv/bin
READY := .venv/.ready
SUPPORTED := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Only what is in .venv counts.
unexport PYTHONPATH PYTHONHOME

.PHONY: help demo test everything coverage mutants lint format types diagrams check bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

demo: $(READY) ## make a market on the paper exchange for a simulated hour; results under runs/demo
	$(BIN)/mm-fsm run --duration 3600 --speed max --seed 7 --out runs/demo

test: $(READY) ## run the tests, all but the slow ones
	$(BIN)/python -m pytest --numprocesses auto -m 'not slow' $(if $(GATE),$(GATE_OPTIONS)) $(ARGUMENTS)

everything: $(READY) ## run every test, the slow ones too
	$(BIN)/python -m pytest --numprocesses auto $(ARGUMENTS)

# As in continuous integration, where the examples of a test derive from the test itself.
coverage: $(READY) ## run the tests under the gate, and draw what they exercise into diagrams/coverage
	CI=true $(MAKE) test GATE=on ARGUMENTS='--ignore=tests/coverage/test_own_suite.py --fsm-cov-report=svg:diagrams/coverage $(ARGUMENTS)'

mutants: $(READY) ## ask the tests of the market-making chart whether they notice every small fault in it
	CI=true $(BIN)/python -m pytest -n 0 -m 'not slow' tests/machine --fsm-cov-criteria=states \
		--fsm-mutate=mm_fsm.machine.market_making:MarketMakingStateMachine --fsm-cov-fail-under=mutation:95 $(ARGUMENTS)

lint: $(READY) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## put style and formatting right where that can be done by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## check types, strictly
	$(BIN)/mypy --strict mm_fsm

diagrams: $(READY) ## draw the committed diagrams again from the definitions
	$(BIN)/mm-fsm diagram

check: lint types test ## lint, types, tests, and whether the committed diagrams are up to date
	$(BIN)/mm-fsm diagram --check

bench: $(READY) ## run every benchmark
	@for benchmark in benchmarks/*.py; do echo "$$benchmark"; $(BIN)/python "$$benchmark" || exit 1; done

clean: ## remove what make and the tools made, .venv too; runs/ stays
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter that is only a name on PATH (a version manager's shim) does not count, so each is tried.
$(READY): pyproject.toml constraints.txt
	@if ! $(BIN)/python -c '$(SUPPORTED)' 2>/dev/null; then \
		found=; \
		for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
			if "$$python" -c '$(SUPPORTED)' 2>/dev/null; then found="$$python"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "mm-fsm needs Python 3.11, 3.12 or 3.13 with its venv module; tried: $(or $(PYTHON),python3.13 python3.12 python3.11 python3)." >&2; \
			echo "Install one (Debian and Ubuntu: python3 and python3-venv), or name one: make PYTHON=/path/to/python" >&2; \
			exit 1; \
		fi; \
		echo "setting up .venv with $$("$$found" --version) (once, about a minute)"; \
		"$$found" -m venv --clear .venv; \
	else \
		echo "bringing .venv up to date"; \
	fi
	@$(PIP_INSTALL) hatchling
	@$(PIP_INSTALL) --no-build-isolation --editable '.[all]'
	@touch $@
