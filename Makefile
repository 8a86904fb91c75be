# `make run` makes all there is on its sample, `make docs` the documentation beside it, `make test` runs the tests. `make test-real` runs those that
# read the publishers' own files; where these are not on the machine, it says so and skips them.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

unexport PYTHONDONTWRITEBYTECODE  # else each process of a run compiles all of the library anew

.PHONY: run docs test test-real lock clean

run: $(INSTALLED)
	$(BIN)/councilbook run

docs: $(INSTALLED)
	$(BIN)/councilbook docs

test: $(INSTALLED)
	$(BIN)/pytest

test-real: $(INSTALLED)
	$(BIN)/pytest -m real tests/real

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "councilbook needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo 'Installing what is pinned, once: more than 200 packages, a few minutes. Each is named as it comes.'
	$(BIN)/pip install --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Pins anew what pyproject.toml asks for, for every system and Python at once; uv can do that, pip cannot.
lock: $(INSTALLED)
	$(PYTHON) -m venv .venv/uv && .venv/uv/bin/pip install --quiet uv
	.venv/uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --no-emit-index-url --quiet --upgrade -o requirements.lock

clean:
	rm -rf .venv .councilbook data/processed reports
