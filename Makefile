# Every command a person needs. `make` alone lists them.
# Set-up happens once, inside .venv, and again only when a lock file changes.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
UV := build/uv/bin/uv
UV_VERSION := 0.13.8
PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
# The first Python of this machine that is new enough, or the one a person names.
PYTHON ?= $(firstword $(foreach p,$(PYTHONS),$(shell $(p) -c '$(ENOUGH)' 2>/dev/null && echo $(p))))
CODE := src programs benches tests docs webbuild
# What `make check` runs at the same time, the longest first: one more than there are cores, as
# some tests wait. A part that is done makes room for the next.
JOBS = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PARTS := $(addprefix check-,types venues rest web onchain engines secrets imports)
# Fewer generated cases than in `make test`.
QUICK := --hypothesis-profile=quick
VENUES := tests/unit/venues
ONCHAIN := tests/unit/chains tests/unit/localnet tests/unit/localnet_maker tests/unit/programs
ENGINES := tests/unit/engines tests/unit/sources

# Where a secret could have slipped in; hashes and signatures of tests are none, however they look.
SCANNED = $(shell git ls-files | grep -vE '^tests/vectors/|lock(\.json)?$$|\.so$$')
UNSURE := $(addprefix --disable-plugin ,Base64HighEntropyString HexHighEntropyString KeywordDetector)

# A desk without its page works; whoever opens it in a browser is told how to build it.
PAGE = $(BIN)/python -m webbuild build || echo "→ the desk works without its page; later: make web"

# Installs exactly what a lock file names, every file checked against its hash.
define install
	@echo "→ installing $$(grep -c '==' $(1)) pinned packages at most (a minute or two the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --root-user-action=ignore \
	  --progress-bar=off --require-hashes -r $(1) \
	| { n=0; while read -r word name _; do if [ "$$word" = Collecting ]; then n=$$((n + 1)); \
	  if [ $$((n % 10)) = 0 ]; then echo "  $$n found, last $$name"; fi; fi; \
	  if [ "$$word" = Installing ]; then echo "  unpacking"; fi; done; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --disable-pip-version-check \
	  --root-user-action=ignore --quiet --no-deps --no-build-isolation --editable .
endef

.PHONY: help
help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

.PHONY: up
up: $(VENV)/.desk ## set up, start the desk, print its address; Ctrl-C stops it (ARGS="--mode paper")
	@$(PAGE)
	@exec $(BIN)/quantdesk up $(if $(SOURCE),--source '$(SOURCE)') $(ARGS)

.PHONY: demo
demo: $(VENV)/.desk ## set up, place one real order on a local chain, show each state, stop (SOURCE=recorded:FILE)
	@exec $(BIN)/quantdesk demo $(if $(SOURCE),--source '$(SOURCE)') $(ARGS)

.PHONY: setup
setup: $(VENV)/.desk ## set up what the desk needs, start nothing
	@$(PAGE)
	@echo "ready: make demo, or make up"

.PHONY: web
web: $(VENV)/.desk ## build the desk's page, if anything of it changed
	@$(BIN)/python -m webbuild build

.PHONY: types
types: $(VENV)/.desk ## write the page's types of the API anew
	@$(BIN)/python -m webbuild types

.PHONY: check
check: $(VENV)/.dev ## format, lint, types, imports, unit and house rules: under a minute
	@echo "→ format" && $(BIN)/ruff format --check $(CODE)
	@echo "→ lint" && $(BIN)/ruff check $(CODE)
	@$(MAKE) --jobs=$(JOBS) --keep-going $(addprefix --,$(filter output-sync,$(.FEATURES))) $(PARTS)

.PHONY: $(PARTS)
check-types:
	@echo "→ types" && $(BIN)/mypy $(CODE)
check-secrets: build/secrets
# Only what changed since it was last looked at, without asking anybody over the network.
build/secrets: $(SCANNED)
	@echo "→ secrets" && $(BIN)/detect-secrets-hook --no-verify $(UNSURE) $? && mkdir -p build && touch $@
check-web:
	@echo "→ page: types, tests" && $(BIN)/python -m webbuild check
check-imports:
	@echo "→ imports" && $(BIN)/lint-imports | sed -n '/^Analyzed/,$$p'
check-venues check-onchain check-engines: check-%:
	@echo "→ unit tests: $*" && $(BIN)/python -m pytest -q $(QUICK) $($(shell echo $* | tr a-z A-Z))
check-rest:
	@echo "→ unit tests: the rest, and house rules" && $(BIN)/python -m pytest -q $(QUICK) \
	  tests/unit tests/tidy $(patsubst %,--ignore=%,$(VENUES) $(ONCHAIN) $(ENGINES))

.PHONY: test
test: $(VENV)/.dev ## every test this machine can run; what it had to skip is listed with the reason
	@$(PAGE)
	@$(BIN)/python -m webbuild test
	@$(BIN)/python -m pytest -q

.PHONY: pictures
pictures: $(VENV)/.dev ## take the pictures of the README and the documentation anew, in a browser
	@$(PAGE)
	@$(BIN)/python -m pytest -q tests/e2e/test_trading.py tests/e2e/test_pages.py
	@mkdir -p docs/pictures && cd build/screenshots && cp trade-split.png ../../docs/pictures/trade.png \
	  && cp order-evidence.png ../../docs/pictures/order.png \
	  && cp markets-wide-light.png ../../docs/pictures/markets.png \
	  && cp operations-wide-dark.png ../../docs/pictures/operations.png

.PHONY: bench
bench: $(VENV)/.dev ## the promised numbers, measured here, the peer beside them
	@echo "→ orders: confirmed per second, delay and CPU, the peer beside them"
	@$(BIN)/python -m benches.orders
	@echo "→ orders: the same with a million old ones in the tables"
	@$(BIN)/python -m benches.orders --million --rounds 2
	@echo "→ quotes: exact, per second, of every kind of pool"
	@$(BIN)/python -m benches.quotes
	@echo "→ routes: optimal splits over 50 pools"
	@$(BIN)/python -m benches.router
	@echo "→ optimum: routes against a reference, 1,000 markets with hops and without"
	@$(BIN)/python -m benches.optimum
	@echo "→ prices: read, judged and agreed on, per second, 10 to 1,000 symbols"
	@$(BIN)/python -m benches.ingest
	@echo "→ prices: from a socket to the board at 50,000 messages a second"
	@$(BIN)/python -m benches.feed
	@echo "→ books and candles: per message, 10 and 1,000 symbols"
	@$(BIN)/python -m benches.books
	@echo "→ store: prices by COPY"
	@$(BIN)/python -m benches.store
	@echo "→ sharing: frames to another process by NATS"
	@$(BIN)/python -m benches.sharing
	@echo "→ failover: one of three servers of NATS killed"
	@$(BIN)/python -m benches.failover
	@echo "→ hub: one price to many clients, node beside it"
	@$(BIN)/python -m benches.fanout
	@echo "→ the page: size, paint, a busy market, an order's stages"
	@$(BIN)/python -m benches.page
	@echo "→ access: what it costs to know who is asking"
	@$(BIN)/python -m benches.access
	@echo "→ audit: a million rows verified"
	@$(BIN)/python -m benches.audit
	@echo "→ localnet: real transactions, end to end"
	@$(BIN)/python -m benches.localnet
	@echo "→ start: first, next, and doing nothing"
	@$(BIN)/python -m benches.start
	@echo "→ kills: the process dies at every effect, 10,000 runs"
	@$(BIN)/python -m benches.kill_sweep --runs 10000
	@echo "→ kill -9 of the whole desk, 200 times on the localnet"
	@$(BIN)/quantdesk drill kill --runs 200

.PHONY: programs
programs: $(VENV)/.dev ## rebuild the on-chain programs
	@cd programs && ../$(BIN)/python -m sbpf $(ARGS)

.PHONY: docs
docs: $(VENV)/.dev ## rewrite the reference pages from the code, build the site into build/site
	@echo "→ reference pages" && $(BIN)/python -m docs.reference.generate
	@echo "→ site" && NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "build/site/index.html"

.PHONY: lock
lock: $(UV) ## renew the lock files within the bounds of pyproject.toml
	@$(UV) pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate \
	  pyproject.toml --extra build --output-file requirements.lock
	@$(UV) pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate \
	  pyproject.toml --extra build --extra dev --constraints requirements.lock \
	  --output-file requirements-dev.lock
	@$(UV) pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate \
	  --group web --output-file requirements-web.lock

.PHONY: clean
clean: ## remove all that was set up or built here; the desk's data folder is left alone
	rm -rf $(VENV) build .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	rm -rf benches/peer/node_modules tests/oracles/*/node_modules web/node_modules src/quantdesk/web_dist
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "QuantDesk needs Python 3.11 or newer; found: $$(python3 -V 2>&1 || true)."; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c '$(ENOUGH)' || { echo "$(PYTHON) is $$($(PYTHON) -V 2>&1); QuantDesk needs 3.11 or newer."; \
	  echo "Name another: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  v=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "$(PYTHON) cannot make virtual environments."; \
	  echo "On Debian and Ubuntu: apt-get install python$$v-venv"; exit 1; }
	@echo "→ making $(VENV) with $$($(PYTHON) -V)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.desk: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.desk

$(UV): | $(VENV)/bin/python
	@$(BIN)/python -m venv build/uv && build/uv/bin/python -m pip install --quiet uv==$(UV_VERSION)
