# Everything a person or a pipeline types. `make` alone lists the targets.

PYTHON ?= python3
PORT ?= 8080
ROWS ?=
# Tests wait more than they compute: three at a time keep two cores busy.
TESTERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
# Made anew when the lock or the project file is newer; otherwise this costs nothing.
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Whatever a machine's image says: what was compiled once is kept, or each process of a run compiles everything anew.
export PYTHONDONTWRITEBYTECODE :=
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help demo test proofs bench check format lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## start the two example bots with their small servers and print the address to open (PORT=8080)
	@$(BIN)/botlane run examples/web-view/web-view.json examples/order-status/order-status.json --port $(PORT) \
		--beside "$(BIN)/python examples/servers.py --gateway http://127.0.0.1:$(PORT)" || test $$? -eq 130

test: $(STAMP) ## run every test but the slow proofs
	$(BIN)/pytest -n $(TESTERS) --dist worksteal -m "not proof"

proofs: $(STAMP) ## run the slow proofs: programs killed, exports mutated, consumers at random (LONG=1: the long form)
	PROOFS_LONG=$(LONG) $(BIN)/pytest -n 2 -m proof

bench: $(STAMP) ## measure speed on this machine, with baselines beside it (ROWS="w idle": only these; without: docs/performance.md too)
	$(BIN)/python -m tests.bench $(ROWS) $(if $(LONG),--long) $(if $(ROWS),,--document docs/performance.md)

check: $(STAMP) ## lint, formatting, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## bring the code into the project's format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

docs/check.md: services/check/codes.py $(STAMP)
	$(BIN)/python -c 'from services.check.codes import document; print(document(), end="")' > $@

docs/settings.md: services/settings.py services/setting_forms.py services/cli/settings_help.py $(STAMP)
	$(BIN)/python -c 'from services.cli.settings_help import document; print(document(), end="")' > $@

docs/manifest.md: $(wildcard shared/bot/manifest*.py) shared/bot/integration.py services/cli/manifest_help.py services/cli/credentials_help.py $(STAMP)
	$(BIN)/python -c 'from services.cli.manifest_help import document; print(document(), end="")' > $@

docs/metrics.md: services/cli/metrics_help.py services/queue_figures.py $(wildcard services/*/metrics.py) $(STAMP)
	$(BIN)/python -c 'from services.cli.metrics_help import document; print(document(), end="")' > $@

docs/compatibility.md: $(wildcard docs/compatibility-*.toml) tests/unit/compatibility_page.py $(STAMP)
	$(BIN)/python -m tests.unit.compatibility_page > $@.new && mv $@.new $@

lock: ## resolve the dependencies again and write the lock files
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv
	env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL sh .ci/lock .venv-lock/bin/uv
	rm -rf .venv-lock

clean: ## remove the environment, caches and the data of `make demo`
	rm -rf $(VENV) .venv-lock .botlane dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Botlane needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
