# Peal's tasks. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
ARGS ?=

# Tools are pinned here, and nowhere else.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
PROTOC_GEN_GO := google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
PROTOC_GEN_CONNECT_GO := connectrpc.com/connect/cmd/protoc-gen-connect-go@v1.21.1

TOOLS := $(CURDIR)/.tools/bin
NPM_BIN := $(CURDIR)/dashboard/node_modules/.bin
MODULES := dashboard/node_modules/.package-lock.json
SDK_MODULES := conformance/sdk/node_modules/.package-lock.json
DIST := dashboard/dist/index.html
DIST_SOURCES := $(shell find dashboard/src dashboard/public dashboard/index.html dashboard/package-lock.json \
	dashboard/tsconfig.json dashboard/vite.config.ts -type f -not -name '*.test.*' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: need-postgres build ## build everything and start it: peal dev $(ARGS)
	@exec bin/peal dev $(ARGS)

.PHONY: dev
dev: need-postgres toolchain $(MODULES) ## the same with hot reload of Go code and dashboard
	@exec scripts/dev.sh $(ARGS)

.PHONY: build
build: toolchain $(DIST) ## build the dashboard when it has changed, then bin/peal with the dashboard inside
	@go build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/peal ./cmd/peal

.PHONY: test
test: need-tests need-postgres build $(SDK_MODULES) ## run every test: Go with the race detector, dashboard, browser, conformance; ends with the count of all
	@go build -buildvcs=false -o bin/ ./scripts/tally ./test/chaos/cmd/platform
	@bin/tally $(ARGS)

.PHONY: conformance
conformance: need-tests need-postgres build $(SDK_MODULES) ## hold bin/peal, or the server at CONFORMANCE_HOST, against the Pusher protocol
	@go build -buildvcs=false -o bin/ ./scripts/tally ./test/chaos/cmd/platform
	@bin/tally conformance $(if $(CONFORMANCE_HOST),,cluster)

.PHONY: check
check: lint check-generated ## format, vet, linters and generated code; changes nothing

.PHONY: lint
lint: need-shellcheck golangci-lint $(MODULES) ## look through Go, TypeScript, schema and shell for mistakes
	@$(TOOLS)/golangci-lint fmt --diff ./...
	@go vet ./...
	@go mod tidy -diff
	@GOOS=darwin go vet ./internal/devstack
	@$(TOOLS)/golangci-lint run ./...
	@cd admin-api && $(NPM_BIN)/buf lint
	@cd edge/rpc && $(NPM_BIN)/buf lint
	@cd dashboard && npm run --silent lint && npm run --silent typecheck
	@cd conformance/sdk && $(NPM_BIN)/biome ci --config-path=$(CURDIR)/dashboard .
	@shellcheck scripts/*.sh .ci/run

.PHONY: fmt
fmt: golangci-lint $(MODULES) ## format Go, TypeScript and the schema
	@$(TOOLS)/golangci-lint fmt ./...
	@cd admin-api && $(NPM_BIN)/buf format --write proto/peal
	@cd edge/rpc && $(NPM_BIN)/buf format --write proto
	@cd dashboard && npm run --silent format
	@cd conformance/sdk && $(NPM_BIN)/biome check --write --config-path=$(CURDIR)/dashboard .

.PHONY: generate
generate: generators ## generate Go and TypeScript from the schema
	@for config in admin-api/buf.gen.yaml edge/rpc/buf.gen.yaml; do \
		if [ -f $$config ]; then \
			(cd $$(dirname $$config) && PATH="$(TOOLS):$(NPM_BIN):$$PATH" buf generate); \
		fi; \
	done

.PHONY: check-generated
check-generated: generators ## fail when generated code is not what the schema says
	@scripts/check-generated.sh

.PHONY: fuzz
fuzz: toolchain ## run every fuzz test for a while: make fuzz ARGS=2m
	@scripts/fuzz.sh $(ARGS)

.PHONY: bench
bench: need-postgres toolchain ## measure Peal beside a plain server, into docs/performance.md: make bench ARGS=--quick
	@scripts/bench.sh $(ARGS)

.PHONY: noisy
noisy: need-postgres toolchain ## measure what a quiet tenant notices of a noisy one: make noisy ARGS='-rounds 5'
	@go build -buildvcs=false -trimpath -o bin/ ./cmd/peal ./scripts/noisy
	@exec bin/noisy $(ARGS)

.PHONY: chaos
chaos: need-chaos need-postgres toolchain ## break a platform of many processes on purpose, into docs/reliability.md: make chaos ARGS='--rows R1,R9'
	@go build -buildvcs=false -o bin/chaos ./test/chaos/cmd/chaos
	@exec bin/chaos $(if $(findstring --rows,$(ARGS)),,--document docs/reliability.md) $(ARGS)

.PHONY: live
live: need-tests need-postgres toolchain ## change a platform of two edges while it is used, and print how soon they act: make live ARGS='-live-changes 1000'
	@go test -count=1 -v -timeout 30m -run '^(TestLiveChanges|TestLiveWithoutPostgres|TestRotationLosesNoPublish)$$' ./cmd/peal -args -live-away 1m $(ARGS)

.PHONY: quota
quota: need-tests need-postgres toolchain ## kill edges while clients fight for places, and count who was in: make quota ARGS='-quota-for 10m -quota-kills 90'
	@go test -race -count=1 -v -timeout 30m -run '^(TestTheCheckerOfQuotas|TestQuotaUnderKills)$$' ./cmd/peal -args -quota-for 2m -quota-kills 20 $(ARGS)

.PHONY: clean
clean: ## remove what was built; keeps .peal (data), .tools and node_modules
	@rm -rf bin
	@find dashboard/dist -mindepth 1 -not -name .gitkeep -delete 2>/dev/null || true

# What the targets above stand on; each says something only when it has something to do.

.PHONY: toolchain
toolchain:
	@scripts/toolchain.sh go node

# Without PostgreSQL `peal dev` would fetch a copy, but a package is kept up to date by the system.
.PHONY: need-postgres
need-postgres:
	@scripts/need.sh 'postgresql=initdb,/usr/lib/postgresql/*/bin/initdb,/usr/pgsql-*/bin/initdb'

# redis-tools holds the server's program too, without the service that redis-server brings. See internal/devstack/redis.go.
.PHONY: need-tests
need-tests:
	@scripts/need.sh redis-tools=redis-server,redis-check-rdb chromium=chromium gcc=gcc haproxy=haproxy

.PHONY: need-chaos
need-chaos:
	@scripts/need.sh redis-tools=redis-server,redis-check-rdb haproxy=haproxy

.PHONY: need-shellcheck
need-shellcheck:
	@scripts/need.sh shellcheck=shellcheck

.PHONY: golangci-lint
golangci-lint: toolchain
	@scripts/tool.sh $(GOLANGCI_LINT)

.PHONY: generators
generators: toolchain $(MODULES)
	@scripts/tool.sh $(PROTOC_GEN_GO)
	@scripts/tool.sh $(PROTOC_GEN_CONNECT_GO)

$(MODULES): dashboard/package-lock.json
	@scripts/toolchain.sh node
	@scripts/npm.sh dashboard

$(SDK_MODULES): conformance/sdk/package-lock.json
	@scripts/toolchain.sh node
	@scripts/npm.sh conformance/sdk

# Vite empties dist, and with it goes the file that keeps the folder in git.
$(DIST): $(MODULES) $(DIST_SOURCES)
	@echo "building the dashboard" >&2
	@cd dashboard && npm run --silent build >build.out 2>&1 || { cat build.out >&2; rm -f build.out; exit 1; }
	@rm -f dashboard/build.out
	@touch dashboard/dist/.gitkeep $@
