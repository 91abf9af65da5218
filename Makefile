# make demo   environment, encode and decode the clips in demo/, pictures in demo/out/
# make test   environment with the test tools, then style, types, ctest and pytest
# make check  the C decoder under sanitizers, valgrind and static checks, as far as they are installed
# make arch   the C decoder on other architectures, as far as their compilers and qemu-user are installed
# make coverage  lines and branches of the C decoder that its own tests reach
# make mutate    COUNT faults, 300 if not given, made in the C decoder one at a time: which do its tests not see?
# make fuzz   the C decoder under libFuzzer and clang's sanitizers for SECONDS, 60 if not given
# make vectors  the golden streams of tests/vectors anew, after a change of the format
# make kit    the conformance kit of conformance/kit anew, after a change of the format
# make agree  random streams through all decoders, COUNT of them, 300 if not given
# make budgets  tests/budgets.yaml, the table of docs/SIM.md and the page's cores anew: what the decoder may cost
# make bench  the codec beside its rivals, on demo/ or at most 2 clips of each class of another folder: make bench CLIPS=folder
# make results  docs/results anew, and its quotes in the documents: make results CLIPS=folder RIVALS="tables.csv ..."
# make quotes   the page and the quotes anew from docs/results/results.json, without measuring
# make docs   the site in build/site, for reading without a network; stops at a broken link
# make dist   sdist, wheel and archives of the decoder in dist/, each tested in a clean place
# make clean  remove everything that the above made
# PYTHON chooses the interpreter, VENV the environment's folder, PIP_FLAGS adds to every pip install.

PYTHON ?= python3
VENV ?= .venv
CLIPS ?= demo
PIP_FLAGS ?=

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt
SOURCES := CMakeLists.txt pyproject.toml constraints.txt README.md $(shell find audio_gs encoder export bank bench \
	firmware_sim spatial web decoder_c -type f -not -path '*/__pycache__/*' -not -path '*/tests/*' 2>/dev/null)

.PHONY: demo test lint ctest pytest check arch coverage mutate fuzz vectors kit agree budgets bench results quotes docs dist clean
.DELETE_ON_ERROR:

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or later is needed; set PYTHON=" if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "install Python's venv module (Debian: python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' \
		|| { echo "install Python's C headers (Debian: python3-dev)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.package: $(SOURCES) | $(BIN)/python
	$(INSTALL) .
	@touch $@

$(VENV)/.test-package: $(SOURCES) | $(BIN)/python
	$(INSTALL) '.[test]'
	@touch $(VENV)/.package $@

demo: $(VENV)/.package
	$(BIN)/python demo/demo.py

test: lint ctest pytest

lint: $(VENV)/.test-package
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $$(find decoder_c firmware_sim -name '*.[ch]' -not -path '*/build/*')
	cd $(VENV) && bin/mypy --config-file $(CURDIR)/pyproject.toml -p audio_gs
	cd $(VENV) && bin/mypy --config-file $(CURDIR)/pyproject.toml $(CURDIR)/tests $(CURDIR)/demo $(CURDIR)/conformance \
		$(CURDIR)/decoder_c/tests
	cd $(VENV) && bin/lint-imports --no-cache --no-logo $(CURDIR)/pyproject.toml

ctest: $(VENV)/.test-package
	$(BIN)/cmake -S decoder_c -B build/decoder_c -DCMAKE_BUILD_TYPE=Release
	$(BIN)/cmake --build build/decoder_c
	$(BIN)/ctest --test-dir build/decoder_c --output-on-failure --no-tests=error

# Files run side by side, each in one process, so that what a file's tests share is made once.
pytest: $(VENV)/.test-package
	$(BIN)/pytest --numprocesses auto --dist loadfile

check: $(VENV)/.test-package
	PATH="$(CURDIR)/$(BIN):$$PATH" decoder_c/tests/check.sh build/check

# An exit code of 77 says that there is nothing to run it with.
arch: $(VENV)/.test-package
	PATH="$(CURDIR)/$(BIN):$$PATH" decoder_c/tests/arch.sh build/arch tests/vectors || [ $$? = 77 ]

coverage: $(VENV)/.test-package
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python decoder_c/tests/coverage.py --build build/coverage --missed \
		--least-lines 99 --least-branches 95

mutate: $(VENV)/.test-package
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python decoder_c/tests/mutate.py --build build/mutate --count $(or $(COUNT),300)

fuzz:
	decoder_c/tests/fuzz/fuzz.sh build/fuzz $(or $(SECONDS),60) tests/vectors

vectors: $(VENV)/.test-package
	$(BIN)/python tests/support/make_vectors.py
	$(BIN)/gs-export c tests/vectors/speech-3.bin -o decoder_c/examples/PlayClip -f -q

kit: $(VENV)/.test-package
	PYTHONPATH=conformance $(BIN)/python tests/support/make_kit.py

agree: $(VENV)/.test-package
	PYTHONPATH=conformance $(BIN)/python tests/support/agree.py random $(or $(COUNT),300) --first-seed $(or $(SEED),0)

budgets: $(VENV)/.test-package
	$(BIN)/python tests/support/make_budgets.py

$(VENV)/.bench-package: $(SOURCES) | $(BIN)/python
	$(INSTALL) '.[bench]'
	@touch $(VENV)/.package $@

bench: $(VENV)/.bench-package
	@mkdir -p build
	$(BIN)/gs-bench $(CLIPS) -o build/bench --limit 2 --force

PUBLISH := $(BIN)/python -I -m audio_gs.bench.publish
QUOTING := $(addprefix --quote ,README.md $(filter-out docs/results/%,$(shell find docs -name '*.md')))

results: $(VENV)/.test-package
	$(PUBLISH) $(CLIPS) $(addprefix --rivals-from ,$(RIVALS)) --decoder-source decoder_c $(QUOTING)

quotes: $(VENV)/.test-package
	$(PUBLISH) $(QUOTING)

$(VENV)/.docs-package: $(SOURCES) | $(BIN)/python
	$(INSTALL) '.[docs]'
	@touch $(VENV)/.package $@

docs: $(VENV)/.docs-package
	$(BIN)/python docs/make_site.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -I -m mkdocs build --strict --quiet
	@echo "site: $(CURDIR)/build/site/index.html"

dist: $(VENV)/.dist-tools
	$(BIN)/python .ci/make_dist.py dist

$(VENV)/.dist-tools: | $(BIN)/python
	$(INSTALL) 'build>=1.2'
	@touch $@

clean:
	rm -rf $(VENV) build dist demo/out
