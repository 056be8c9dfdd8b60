# Run and test effviz. Needs GNU make, Python >= 3.11 and, for the first call, a network. `make help` lists the commands.

PYTHON ?= python3
PORT ?= 8501
# Address that the app listens on: this machine only. Not ?=, because some shells and conda set a variable HOST.
HOST := localhost
# Servers of the app behind nginx, for `make serve`.
REPLICAS ?= 2
# Test processes. Each imports torch and takes about 1 GB of memory.
JOBS ?= 2
# The wheels of PyTorch: empty for the default ones, `cpu` for the small ones. Stored with the environment.
TORCH ?= $(shell cat .venv/torch-wheels 2>/dev/null)

VENV_PYTHON := .venv/bin/python
PIP := $(VENV_PYTHON) -m pip --disable-pip-version-check
TORCH_INDEX := $(if $(filter cpu,$(TORCH)),--no-deps --index-url https://download.pytorch.org/whl/cpu)

ifeq ($(filter $(TORCH),cpu),)
ifneq ($(strip $(TORCH)),)
$(error TORCH is "$(TORCH)"; it must be cpu or empty)
endif
endif

.DEFAULT_GOAL := help
# Two targets must not install into one environment at once, even with -j.
.NOTPARALLEL:
# A recipe that fails halfway must not leave a file that looks complete.
.DELETE_ON_ERROR:
.PHONY: help run serve test test-quick check bench lock clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  On Linux PyTorch comes with several GB of CUDA libraries, which effviz does not use."
	@echo "  TORCH=cpu on the first call leaves them out:   make run TORCH=cpu"
	@echo "  REPLICAS=3 chooses the number of servers for make serve."
	@echo "  HOST=0.0.0.0 opens the app to other machines."
	@echo "  PORT=8600 chooses the port, PYTHON=python3.12 the interpreter for a new environment."

run: .venv/runtime ## Start the app on http://localhost:8501, or on PORT
	$(VENV_PYTHON) -m streamlit run app.py --server.port $(PORT) --server.address $(HOST)

serve: .venv/runtime ## Start several servers behind nginx, for a class; needs nginx
	$(VENV_PYTHON) assets/deploy/serve.py --replicas $(REPLICAS) --port $(PORT) --address $(HOST)

# One torch thread in each test process: two processes on two cores would otherwise run four threads.
test test-quick: export OMP_NUM_THREADS = 1
# The tests start a hundred processes. Without byte code, as in many images, each would compile effviz for two seconds.
test test-quick: export PYTHONDONTWRITEBYTECODE =
test: .venv/development ## Run all tests; those that need Chromium, nginx, PostgreSQL or MariaDB are skipped without them
	@# One more than cores: many of these tests wait for another process.
	$(VENV_PYTHON) -m pytest -m "not browser" -n $$(($(JOBS) + 1)) --dist worksteal
	$(VENV_PYTHON) -m pytest -m browser -n $(JOBS) --dist worksteal

# The engine without the torch process, the app, the browser and slow tests. EFFVIZ_TEST_PROFILE=full draws ten times as
# many random examples and takes all networks of the zoo where the default takes those with every kind of block.
QUICK := tests/test_imports.py tests/core tests/model tests/zoo tests/count tests/advice tests/studies tests/charts
test-quick: .venv/development ## Run the short tests of the engine
	$(VENV_PYTHON) -m pytest -q -m "not processes and not slow" -n $(JOBS) --dist worksteal $(QUICK)

check: .venv/development ## Check format, lint, types and writing style
	$(VENV_PYTHON) -m ruff format --check
	$(VENV_PYTHON) -m ruff check
	$(VENV_PYTHON) -m mypy
	$(VENV_PYTHON) tests/support/style.py

bench: .venv/development ## Run the benchmarks
	@for script in tests/benchmarks/*.py; do echo "== $$script"; PYTHONPATH=. $(VENV_PYTHON) $$script || exit 1; done

# torch and its CUDA libraries are left out: their files depend on the machine and on TORCH.
lock: .venv/development ## Write requirements.lock, after a change of requirements.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate requirements.txt \
		| awk '/^[a-z]/ { kept = $$0 !~ /^(torch==|triton==|cuda-|nvidia-)/ } kept' > requirements.lock

clean: ## Remove the environment and all generated files
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache test-results build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The environment --------------------------------------------------------------------------------------------------
# .venv/runtime and .venv/development are empty files with the time of the last installation. A changed requirements file
# is newer and causes the next installation. A missing interpreter behind .venv/bin/python does so too.

$(VENV_PYTHON):
	@command -v $(PYTHON) >/dev/null || { \
		echo "effviz needs Python 3.11 or newer, and '$(PYTHON)' does not exist. Install it or choose another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "effviz needs Python 3.11 or newer, '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Choose another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv

# The lock file has the hash of every file. torch comes after it, so that its requirements are installed already.
.venv/runtime: requirements.lock $(VENV_PYTHON)
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	$(PIP) install $(TORCH_INDEX) "$$(grep -o '^torch==[^ ]*' requirements.txt)"
	@echo $(TORCH) > .venv/torch-wheels
	@touch $@

.venv/development: tests/requirements.txt .venv/runtime
	$(PIP) install -r tests/requirements.txt
	@touch $@
