# Every command a person needs. Whatever node is on the machine installs the packages;
# everything after that runs on the node that the lock file names.
BIN := PATH="$(CURDIR)/node_modules/.bin:$$PATH"
NODE := $(BIN) NODE_COMPILE_CACHE="$(CURDIR)/node_modules/.cache/portico-commands" node

.DEFAULT_GOAL := help
.PHONY: help up down reset test lint format generate verify demo clients bench images cluster deploy disruptions fuzz chart bootstrap

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: bootstrap ## Install what is missing, start everything, print where everything is
	@MALLOC_ARENA_MAX=1 $(NODE) --max-semi-space-size=4 --optimize-for-size --liftoff-only packages/dev-env/src/up.ts

down: bootstrap ## Stop what make up started, from any terminal
	@$(NODE) packages/dev-env/src/down.ts

reset: bootstrap ## Stop, and remove all data, secrets and logs
	@$(NODE) packages/dev-env/src/reset.ts

test: bootstrap ## Types, lint, unit, integration and journey tests
	@$(BIN) tsc --noEmit
	@$(BIN) biome check --error-on-warnings
	@$(BIN) vitest run

lint: bootstrap ## Check types, lint and format
	@$(BIN) tsc --noEmit
	@$(BIN) biome check --error-on-warnings

format: bootstrap ## Rewrite all files in the one format
	@$(BIN) biome check --write

generate: bootstrap ## Write OpenAPI documents and README tables from the code
	@$(NODE) openapi/generate.ts
	@$(NODE) k8s/render.ts

verify: test ## What CI runs: test, and generate must change nothing
	@$(NODE) openapi/generate.ts
	@$(NODE) k8s/render.ts
	@git diff --exit-code -- openapi k8s/rendered '*README.md'

demo: bootstrap ## Watch the journey through a running Portico
	@$(NODE) tests/demo.ts

clients: bootstrap ## Authlib (Python) and go-oidc (Go) sign in, refresh and sign out
	@$(NODE) tests/clients/run.ts

bench: bootstrap ## Measure, and print a table of ratios (ROWS=keycloak: that one)
	@$(NODE) bench/run.ts

images: bootstrap ## Build every container image, and print what each adds to the base (TAG=dev)
	@$(NODE) k8s/build-images.ts

cluster: bootstrap ## Kubernetes on this machine (kind, else CLUSTER_COMMAND) with Portico in it, and helm test
	@$(NODE) k8s/cluster.ts

deploy: bootstrap ## Install or upgrade Portico where kubectl points at (VALUES=file,file)
	@$(NODE) k8s/deploy.ts

disruptions: bootstrap ## Upgrade, delete, kill and evict what kubectl points at, under load: no request may fail (RATE=200)
	@$(NODE) k8s/disruptions.ts

fuzz: bootstrap ## 500 odd objects into what kubectl points at: no good route is disturbed, each bad one says why (SEED=n)
	@$(NODE) k8s/fuzz.ts

chart: bootstrap ## Lint the chart: helm, and kubeconform and kube-score where they are installed
	@$(NODE) k8s/check-chart.ts

bootstrap:
	@command -v node >/dev/null || { echo 'Node is missing: install Node 20 or newer (https://nodejs.org).' >&2; exit 1; }
	@node packages/dev-env/bootstrap.mjs
