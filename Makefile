# Two commands: `make run` and `make test`. Both set up whatever is missing; a fresh machine needs only
# Python 3.11 with venv, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
ifneq ($(shell $(PYTHON) -c 'import sys; print(sys.version_info >= (3, 11))'),True)
$(error Python 3.11 or newer with venv is needed: install it, or say where it is by make PYTHON=/path/to/python3.11)
endif
PORT ?= 8000

.PHONY: help setup run test lock bench soak mutants clean-machine

help:
	@echo 'make run          start everything on this machine (PORT=8000)'
	@echo 'make test         every check; FAST=1 leaves out what is slow, REQUIRE_BROWSER=1 forbids to skip the browser'
	@echo 'make setup        virtual environment, locked dependencies, built frontend, environment of the demo'
	@echo 'make lock         resolve requirements/*.in anew into the locked *.txt'
	@echo 'make bench        the figures of tests/benchmarks; ARGS="W1 W2" chooses workloads, ARGS=--write keeps'
	@echo 'make soak         ten minutes of killed, frozen and cut-off processes under load; SECONDS=60 SEED=7'
	@echo 'make mutants      sabotages the engine line by line and says which test notices; ARGS="a beat" chooses'
	@echo 'make clean-machine  run and test on an empty Debian, made for it, as three users (root and debootstrap; ARGS=--fast)'

setup:
	@$(PYTHON) .ci/setup.py

# exec: so that Ctrl-C and TERM reach the product itself.
run: setup
	@exec .venv/bin/python manage.py up --port $(PORT)

test: setup
	@FAST=$(FAST) REQUIRE_BROWSER=$(REQUIRE_BROWSER) .venv/bin/python .ci/check.py

lock:
	@$(PYTHON) .ci/lock.py

# `make bench ARGS="W1 W2 --write"`
bench: setup
	@.venv/bin/python -m tests.benchmarks $(ARGS)

# Everything in a temporary folder, on loopback; exits 1 when something that must hold does not.
soak: setup
	@SECONDS=$(SECONDS) SEED=$(SEED) .venv/bin/python -m tests.soak

mutants: setup
	@.venv/bin/python -m tests.mutants $(ARGS)

clean-machine:
	@$(PYTHON) .ci/clean_machine.py $(ARGS)
