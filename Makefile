# `make` alone lists what there is.

# Where `make run` listens and keeps its data.
LISTEN ?= 127.0.0.1:8080
DATA ?= plinth-data

.DEFAULT_GOAL := help
.PHONY: help run test long-test lint format console openapi images bench

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build the executable and start it on http://127.0.0.1:8080 (LISTEN=, DATA= change that)
	cargo run --release --locked -p plinth -- serve --listen $(LISTEN) --data $(DATA)

test: ## Install what the tests need and run all of them
	scripts/install-test-deps
	scripts/test

long-test: ## The Rust tests with 200 kills in each kill test
	scripts/install-test-deps
	PLINTH_KILLS=200 scripts/test rust

lint: ## Formatting, lints and the rules of the repository, without running a test
	scripts/test repository format lint

format: ## Format the Rust code
	cargo fmt --all

console: ## Build the console and pack it into the file that the executable embeds
	cd console && npm ci && npm run snapshot

openapi: ## Write docs/openapi.json and the types generated from it
	scripts/openapi write

images: ## Take the screenshots of docs/images with a browser
	scripts/install-test-deps
	e2e/run --update-images

bench: ## Measure Plinth and its peers in one run
	bench/run
	scripts/figures write
