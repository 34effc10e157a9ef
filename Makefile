# Quick start:  make run   or   make test   (each works alone, with nothing but python3 and make)
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test check lint format notebooks clean

run: $(VENV)/installed
	$(BIN)/archsearch run --budget-madds 300M

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: test lint

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: $(VENV)/installed-dev
	$(BIN)/python -m tests.notebooks.render

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing archsearch and what it needs; torch is large, this takes a few minutes"
	$(PIP) --editable .
	touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing archsearch for development; torch is large, this takes a few minutes"
	$(PIP) --editable ".[dev]"
	touch $@ $(VENV)/installed
