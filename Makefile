# `make demo` and `make test` set up everything they need; nothing else has to be run first.
# PYTHON picks the interpreter the environment is made from (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test addons test-blender check format proto tables lock bench clean
.DEFAULT_GOAL := help

help:  ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps: the demo needs the runtime alone, the tests need the tools as well.
$(VENV)/.runtime: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

tests/node/node_modules/.stamp: tests/node/package-lock.json
	@if command -v npm >/dev/null; then \
		cd tests/node && npm ci --silent --no-audit --no-fund && touch node_modules/.stamp; \
	else echo "npm is not installed: the tests that need Node will be skipped"; fi

demo: $(VENV)/.runtime  ## Turn a picture into a checked GLB in out/demo, with no key and no network.
	$(BIN)/assetwright demo --out out/demo

test: $(VENV)/.dev tests/node/node_modules/.stamp  ## Run the tests.
	$(BIN)/pytest $(TEST_ARGS)

addons:  ## Build the editors' plugins into dist/.
	$(PYTHON) tools/build_addons.py

test-blender: $(VENV)/.dev  ## Test the Blender extension in Blender 4.2 and 5.0, as modules from PyPI.
	tools/get_bpy.sh
	$(BIN)/pytest tests/blender

check: $(VENV)/.dev  ## Run every static check: style, types, layers, contract, generated code.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/python tools/generate_proto.py --check
	$(BIN)/python tools/generate_blender.py --check
	$(BIN)/python tools/write_tables.py --check
	$(BIN)/python tools/write_model_docs.py --check

format: $(VENV)/.dev  ## Format the code and the protos.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/buf format --write

proto: $(VENV)/.dev  ## Generate assetwright/v1 from the protos again.
	$(BIN)/python tools/generate_proto.py
	$(BIN)/python tools/generate_blender.py

tables: $(VENV)/.dev  ## Write the tables of the docs from the code again.
	$(BIN)/python tools/write_tables.py
	$(BIN)/python tools/write_model_docs.py

lock:  ## Pin what is installed again, for every platform. Needs uv.
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command "make lock" \
		--extra server pyproject.toml --output-file requirements.lock $(LOCKFLAGS)
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command "make lock" \
		--extra server --group dev pyproject.toml --constraint requirements.lock --output-file requirements-dev.lock $(LOCKFLAGS)

bench: $(VENV)/.dev  ## Run the benchmarks and print their ratios.
	$(BIN)/python benchmarks/streaming.py $(BENCH_ARGS)

clean:  ## Remove everything that was made, but not out/.
	rm -rf $(VENV) tests/node/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
