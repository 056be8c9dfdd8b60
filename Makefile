# effviz: run it, test it. Needs GNU make, Python >= 3.11 and, for the first call, a network. `make help` lists the commands.

PYTHON ?= python3
PORT ?= 8501
# Processes for the tests without a browser. Each of them imports torch, so mind the memory before you ask for more.
JOBS ?= 2
# The wheels of PyTorch: empty for the package index's own, `cpu` for the small ones. Remembered with the environment.
TORCH ?= $(shell cat .venv/torch-wheels 2>/dev/null)

VENV_PYTHON := .venv/bin/python
PIP := $(VENV_PYTHON) -m pip --disable-pip-version-check
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

ifeq ($(filter $(TORCH),cpu),)
ifneq ($(strip $(TORCH)),)
$(error TORCH=$(TORCH): the choices are TORCH=cpu and nothing)
endif
endif

.DEFAULT_GOAL := help
# Two targets must not install into one environment at once, whatever -j says.
.NOTPARALLEL:
# A recipe that failed halfway must not leave a file that looks finished.
.DELETE_ON_ERROR:
.PHONY: help run test check bench clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  On Linux PyTorch comes with several GB of CUDA libraries, which effviz does not use."
	@echo "  TORCH=cpu on the first call leaves them out:   make run TORCH=cpu"
	@echo "  PORT=8600 chooses the port, PYTHON=python3.12 the interpreter for a new environment."

run: .venv/runtime ## Start the app on http://localhost:8501, or on PORT
	$(VENV_PYTHON) -m streamlit run app.py --server.port $(PORT)

# One thread for torch in each test process: two of them on two cores would otherwise run four threads.
# The browser tests come after the others, alone: a second process would disturb what they wait for and time.
test: export OMP_NUM_THREADS = 1
test: .venv/development ## Run all tests; those in a browser are skipped without a Chromium
	$(VENV_PYTHON) -m pytest -m "not browser" -n $(JOBS)
	$(VENV_PYTHON) -m pytest -m browser

check: .venv/development ## Check layout, lint and types
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m mypy

bench: .venv/development ## Measure speed and print the figures
	@for script in tests/benchmarks/*.py; do echo "== $$script"; $(VENV_PYTHON) $$script || exit 1; done

clean: ## Remove the environment and everything that can be made again
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache test-results build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment --------------------------------------------------------------------------------------------------
# .venv/runtime and .venv/development are empty files, as old as the last installation: an edited requirements file is
# newer and leads to the next one. So does a link .venv/bin/python to an interpreter that is gone.

$(VENV_PYTHON):
	@command -v $(PYTHON) >/dev/null || { \
		echo "effviz needs Python 3.11 or newer, and there is no '$(PYTHON)'. Install it, or name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "effviz needs Python 3.11 or newer, '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv

# Only the line of torch meets the other index: with --no-deps its requirements come from the usual one, by the second
# command, which finds torch in place.
.venv/runtime: requirements.txt $(VENV_PYTHON)
ifeq ($(TORCH),cpu)
	$(PIP) install --no-deps --index-url $(TORCH_CPU_INDEX) "$$(grep -o '^torch==[^ ]*' requirements.txt)"
endif
	$(PIP) install -r requirements.txt
	@echo $(TORCH) > .venv/torch-wheels
	@touch $@

.venv/development: tests/requirements.txt .venv/runtime
	$(PIP) install -r requirements.txt -r tests/requirements.txt
	@touch $@
