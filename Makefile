# Everything a developer or a newcomer runs. Needs python3 (3.11 or newer) and make; the rest goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pytest rewrites the asserts of all tests and of its plugins, which takes each process ten seconds if none is kept.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help run test browser-test tus-test next-test nginx-test openapi-test deploy-test promtool-test example-test example client-types lint bench chaos clean install uninstall release

help:
	@echo "make run    serve on http://127.0.0.1:8080, with the .env's credentials or else in the sandbox"
	@echo "make test   run the tests"
	@echo "make browser-test  a video and a gallery in a real Chromium, where nothing that was uploaded runs"
	@echo "make tus-test      upload with the official client of tus, over a line that is cut"
	@echo "make next-test     an app of Next.js that rewrites to the service, in a real Chromium"
	@echo "make nginx-test    deploy/nginx.conf in a real nginx"
	@echo "make deploy-test   the units by systemd's judgement, and what make install lays"
	@echo "make openapi-test  typed clients made from /openapi.json, clients/typescript, and what docs/ shows of it"
	@echo "make promtool-test deploy/alerts.yml and /metrics, by Prometheus's own tool"
	@echo "make example       sandbox, service and the gallery of examples/nextjs, on http://localhost:3000"
	@echo "make example-test  that gallery in a real Chromium, by Playwright"
	@echo "make client-types  write the types of clients/typescript anew, from the API's description"
	@echo "make lint   check style, types and the walls between the rooms"
	@echo "make bench  measure, beside stock Telethon"
	@echo "make chaos  everything at once while everything fails; SEED=… again as before, MINUTES=10"
	@echo "make clean  remove what these made"
	@echo "make install    as a systemd service, for root: /opt/tgbridge, /etc/tgbridge; DESTDIR=… for packages"
	@echo "make uninstall  undo that"
	@echo "make release    build and try what is published; VERSION=… makes that version of what is unreleased"

# `exec`, so that Ctrl-C and SIGTERM reach the service and not a shell around it. What malloc is told, and why, is
# that of deploy/tgbridge.service.
run: export MALLOC_MMAP_THRESHOLD_ = 16777216
run: export MALLOC_TRIM_THRESHOLD_ = 67108864
run: export MALLOC_TOP_PAD_ = 16777216
run: $(VENV)/.runs
	@if grep -Eqs '^[[:space:]]*(export[[:space:]]+)?TELEGRAM_API_ID=[^[:space:]]' .env || [ -n "$$TELEGRAM_API_ID" ]; \
	then exec $(BIN)/python -m tgbridge serve; \
	else exec $(BIN)/python -m tgbridge serve --sandbox; fi

# One process more than two cores: many tests wait for a time-out or a flood wait more than they compute. Each has
# to import all tests, which takes it nine seconds of a fresh clone.
test: $(VENV)/.develops
	$(BIN)/python -m pytest --numprocesses 3

# Needs Chromium, which is no Python package: apt install chromium, or CHROMIUM=/path/to/it.
browser-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m browser tests/browser

# Needs node 18 or newer and npm, which fetches tus-js-client: apt install nodejs npm.
tus-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m tus tests/tus

# Needs node 20.9 or newer, npm, which fetches Next.js, and Chromium.
next-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m next tests/nextjs

# Needs nginx: apt install nginx-light.
nginx-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m nginx tests/nginx

# Needs systemd-analyze, which is Debian's systemd.
deploy-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m deploy tests/deploy

# Needs node 20.19 or newer and npm, which fetches the generators and TypeScript.
openapi-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m openapi tests/clients tests/docs

# Needs promtool: apt install prometheus.
promtool-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m promtool tests/deploy

# On other ports, where somebody has these: make example EXAMPLE_PORT=3001 SERVICE_PORT=8081
EXAMPLE_PORT := 3000
SERVICE_PORT := 8080

# Needs node 20.9 or newer, and npm, which fetches Next.js. Ctrl-C ends all of it, and so does the end of either.
example: export NEXT_TELEMETRY_DISABLED = 1
example: $(VENV)/.runs
	npm --prefix clients/typescript ci --no-audit --no-fund
	npm --prefix clients/typescript run build
	npm --prefix examples/nextjs ci --no-audit --no-fund
	TGBRIDGE_URL=http://127.0.0.1:$(SERVICE_PORT) npm --prefix examples/nextjs run build
	@trap 'kill $$service $$pages 2>/dev/null; wait' EXIT; trap exit INT TERM; \
	$(BIN)/python -m tgbridge serve --sandbox --port $(SERVICE_PORT) & service=$$!; \
	cd examples/nextjs; TGBRIDGE_URL=http://127.0.0.1:$(SERVICE_PORT) \
	node node_modules/next/dist/bin/next start --hostname localhost --port $(EXAMPLE_PORT) & pages=$$!; \
	while kill -0 $$service 2>/dev/null && kill -0 $$pages 2>/dev/null; do sleep 1; done; false

# What /openapi.json says of bodies, for the TypeScript client. A test of openapi-test tells when it is due.
client-types: $(VENV)/.runs
	npm --prefix clients/typescript ci --no-audit --no-fund
	$(BIN)/python scripts/client_types.py

# Needs Chromium and nginx as well.
example-test: $(VENV)/.develops
	$(BIN)/python -m pytest -m example tests/example

lint: $(VENV)/.develops
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.develops
	$(BIN)/python -m benchmarks

# Fails if a byte is wrong, an acknowledged upload lost, an event missed, something left, or a 5xx without cause.
chaos: $(VENV)/.develops
	$(BIN)/python -m benchmarks.chaos $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),10)

# Without VERSION it builds and tries what there is. Nothing is committed or uploaded.
release: $(VENV)/.releases
	$(BIN)/python scripts/release.py $(VERSION)

install uninstall:
	@PYTHON='$(PYTHON)' DESTDIR='$(DESTDIR)' UNITDIR='$(UNITDIR)' sh deploy/install.sh $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf clients/typescript/dist clients/typescript/node_modules examples/nextjs/.next examples/nextjs/node_modules
	find . -name __pycache__ -prune -exec rm -rf {} +

# The stamps say that .venv has what pyproject.toml asks for: to run, to develop, and to release.
$(VENV)/.runs: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[sandbox,uvloop]'
	@touch $@

$(VENV)/.develops: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/.runs

$(VENV)/.releases: pyproject.toml constraints.txt $(VENV)/.develops
	$(INSTALL) --editable '.[release]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "tgbridge needs Python 3.11 or newer. Say where it is: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
