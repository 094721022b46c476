# Two commands do everything, set-up included: `make demo` and `make test`.
.PHONY: demo test test-ai check format sweep bench clean help
PYTHON := .venv/bin/python
PHOTOS ?=

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## scan sample photos, or yours: make demo PHOTOS=DIR
	@.ci/prepare
	@$(PYTHON) -m lumina_fs.demo $(if $(PHOTOS),"$(PHOTOS)")

test: ## run the tests
	@.ci/prepare dev
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-ai: ## the tests that load models (installs torch first, 6 GB)
	@.ci/prepare dev,ai
	@$(PYTHON) -m pytest -m models

check: ## ruff, mypy, import-linter, schema freshness
	@.ci/prepare dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy lumina_fs index schemas tui tests
	@.venv/bin/lint-imports
	@$(PYTHON) -m schemas.publish --check

format: ## let ruff rewrite what it can
	@.ci/prepare dev
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

sweep: ## every point of the fault sweeps (the tests run a sample)
	@.ci/prepare dev
	@LUMINA_SWEEP=all $(PYTHON) -m pytest -q -k "fault or kill or sweep"

bench: ## the speed figures, as ratios measured in one run: make bench ARGS="rescan --count 10000"
	@.ci/prepare dev
	@$(PYTHON) -m tests.benchmarks $(ARGS)

clean: ## remove the virtual environment and the demo photos
	rm -rf .venv demo-photos
