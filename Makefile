# Aquatope. `make` lists the targets.
SHELL := /bin/bash
GO    ?= go
TOOL   = $(GO) tool -modfile=go.tools.mod
# The functional core and the parts with goroutines are raced; the numerical
# packages have none and would only be slow.
RACE  ?= ./engine/... ./store/... ./server/... ./load/... ./control/... ./platform/...

.DEFAULT_GOAL := help
.PHONY: help build examples demo test race lint fmt fuzz bench soak test-cgroup2 vuln clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: need-go ## build bin/aquatope
	$(GO) build -trimpath -o bin/ ./cmd/...

# Each example is one static binary with all of its functions; "prepare" then
# generates its inputs and trains its models beside it, in seconds.
EXAMPLES = chain fan-out ml-pipeline video-processing social-network
examples: need-go $(EXAMPLES:%=examples/%/bin/functions) ## build the examples' functions, inputs and models

examples/%/bin/functions: $(wildcard examples/*/*.go) go.mod
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o $@ ./examples/$*
	$@ prepare $(@D)

.DELETE_ON_ERROR:

demo: need-go ## deploy two workflows, drive them for two minutes, show what their users saw
	@echo "Building; the first time this takes some minutes."
	@$(MAKE) --no-print-directory build examples
	@examples/demo/demo.sh

test: need-go ## run every test (under five minutes)
	$(GO) test -timeout 30m ./...

race: need-go ## run the concurrent packages under the race detector
	$(GO) test -race -short -timeout 30m $(RACE)

lint: need-go ## gofumpt, go vet, staticcheck
	@out=$$($(TOOL) gofumpt -l .); [ -z "$$out" ] || { echo "not formatted (make fmt):"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff

fmt: need-go ## format the tree
	$(TOOL) gofumpt -w .

vuln: need-go ## known vulnerabilities; needs the Go vulnerability database
	$(TOOL) govulncheck ./...

FUZZTIME ?= 20s
fuzz: need-go ## fuzz every fuzz target for FUZZTIME each
	@set -e; grep -rlE --include='*_test.go' '^func Fuzz' . | while read -r f; do \
	  for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' $$f | cut -d' ' -f2); do \
	    echo "== $$t ($$(dirname $$f))"; \
	    $(GO) test -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) $$(dirname $$f); \
	  done; done

bench: need-go ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

soak: need-go examples ## 2,000 runs at once, 20 kills of the server (minutes)
	AQUATOPE_SOAK=1 $(GO) test -count=1 -timeout 30m -v -run 'TestKilledServer|TestManyRuns' ./internal/cli

test-cgroup2: need-go ## the process driver on cgroup v2, in an emulated machine
	$(GO) run ./platform/local/internal/vmtest

clean: ## remove what was built
	rm -rf bin examples/*/bin

.PHONY: need-go
need-go:
	@command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.26 or newer (https://go.dev/dl/) and put it on PATH"; exit 1; }
	@v=$$($(GO) env GOVERSION | sed 's/^go//'); \
	  [ "$$(printf '%s\n1.26\n' "$$v" | sort -V | head -n1)" = 1.26 ] || { echo "Go $$v is too old: install Go 1.26 or newer"; exit 1; }
