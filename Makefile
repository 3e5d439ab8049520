# `make demo` and `make test` set up everything they need; nothing else has to be run first.
# PYTHON picks the interpreter the environment is made from (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GDSCRIPT := addons/godot tests/godot

.PHONY: help demo test test-samples addons fuzz test-blender test-crash test-godot godot check format proto tables lock native check-native bench clean
.DEFAULT_GOAL := help

help:  ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps: the demo needs the runtime alone, the tests need the tools as well.
$(VENV)/.runtime: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

benchmarks/node/node_modules/.stamp: benchmarks/node/package-lock.json
	@if command -v npm >/dev/null; then \
		cd benchmarks/node && npm ci --silent --no-audit --no-fund && touch node_modules/.stamp; \
	else echo "npm is not installed: gltf-transform and gltfpack will not be measured"; fi

tests/node/node_modules/.stamp: tests/node/package-lock.json
	@if command -v npm >/dev/null; then \
		cd tests/node && npm ci --silent --no-audit --no-fund && touch node_modules/.stamp; \
	else echo "npm is not installed: the tests that need Node will be skipped"; fi

demo: $(VENV)/.runtime  ## Turn a picture into a checked GLB in out/demo, with no key and no network.
	$(BIN)/assetwright demo --out out/demo

test: $(VENV)/.dev tests/node/node_modules/.stamp  ## Run the tests.
	$(BIN)/pytest -m "not samples" --numprocesses 3 --dist loadfile

test-samples: $(VENV)/.dev tests/node/node_modules/.stamp  ## Put every sample file through every operation; ASSETWRIGHT_SAMPLES says where they are.
	$(BIN)/pytest -m samples --numprocesses 2

addons:  ## Build the editors' plugins into dist/.
	$(PYTHON) tools/build_addons.py

test-blender: $(VENV)/.dev  ## Test in Blender 4.2 and 5.0, as modules from PyPI: the extension, and what is imported.
	tools/get_bpy.sh
	ASSETWRIGHT_TEST_BPY=$$(ls -d .tools/bpy-*/bin/python | paste -sd :) \
		$(BIN)/pytest tests/blender tests/asset_processing/test_bpy.py

test-crash: $(VENV)/.dev  ## Kill servers in every phase of their jobs, for minutes, and print the figures.
	$(BIN)/pytest tests/crash

godot:  ## Install Godot into .tools/godot, from Debian's packages.
	tools/get_godot.sh

test-godot: $(VENV)/.dev  ## Run the Godot plugin's tests in a real Godot.
	$(BIN)/pytest tests/godot

fuzz: $(VENV)/.dev  ## Try broken GLBs for some minutes; FUZZ_EXAMPLES says how many.
	ASSETWRIGHT_FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),20000) $(BIN)/pytest tests/asset_processing/test_fuzz.py --timeout 0

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
	$(BIN)/python tools/write_report_schema.py --check
	$(BIN)/python tools/write_model_docs.py --check
	$(BIN)/python tools/generate_gdscript.py --check
	$(BIN)/gdformat --check --line-length 100 $(GDSCRIPT)
	$(BIN)/gdlint $(GDSCRIPT)

format: $(VENV)/.dev  ## Format the code and the protos.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/buf format --write
	$(BIN)/gdformat --line-length 100 $(GDSCRIPT)

proto: $(VENV)/.dev  ## Generate assetwright/v1 from the protos again, and the plugin's messages.
	$(BIN)/python tools/generate_proto.py
	$(BIN)/python tools/generate_blender.py
	$(BIN)/python tools/generate_gdscript.py

tables: $(VENV)/.dev  ## Write the tables of the docs from the code again.
	$(BIN)/python tools/write_tables.py
	$(BIN)/python tools/write_report_schema.py
	$(BIN)/python tools/write_model_docs.py

lock:  ## Pin what is installed again, for every platform. Needs uv.
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command "make lock" \
		--extra server pyproject.toml --output-file requirements.lock $(LOCKFLAGS)
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--no-annotate --custom-compile-command "make lock" \
		--extra server --group dev pyproject.toml --constraint requirements.lock --output-file requirements-dev.lock $(LOCKFLAGS)

native:  ## Compile the WebAssembly modules from their C again.
	$(PYTHON) tools/build_native.py

check-native:  ## Compare the WebAssembly modules with what their C gives.
	$(PYTHON) tools/build_native.py --check

bench: $(VENV)/.dev benchmarks/node/node_modules/.stamp  ## Run the benchmarks and print their ratios.
	$(BIN)/python benchmarks/streaming.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/processing.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/bridge.py $(BENCH_ARGS)

clean:  ## Remove everything that was made, but not out/.
	rm -rf $(VENV) .tools tests/node/node_modules benchmarks/node/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
