# Everything that is done to plumbline, one target each. `make` alone lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export CGO_ENABLED := 0
GO ?= go
# What `make scan` judges; any folder, template or cdk.out.
DIR ?= examples/payments/cdk.out
# More flags for `make scan`, such as ARGS="--format html".
ARGS ?=
# Where `make console-check` keeps pictures of the pages; empty: nowhere.
SHOTS ?=
# How long `make console-load` takes.
LOAD ?= 1m
# How long each fuzz target runs in `make fuzz`.
FUZZTIME ?= 20s
MODULES := . tools infra
# What is deployed: a copy of infra/deployment.example.json, which serves where there is none.
DEPLOYMENT ?= $(firstword $(wildcard infra/deployment.json) infra/deployment.example.json)
# More flags for `make deploy`, `make diff` and `make destroy`, such as CDK_ARGS="--require-approval never".
CDK_ARGS ?=
# Our own rules judge the stacks, so CDK's, which cost seconds, do not; Node 20 does, whatever its age.
CDK = cd infra && CDK_VALIDATION=false CDK_DISABLE_CLI_TELEMETRY=true JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 node_modules/.bin/cdk --no-notices
# Task folders to build for Lambda, and the architecture of the functions.
FUNCTIONS ?= $(patsubst tasks/%/lambda,%,$(wildcard tasks/*/lambda))
FUNCTION_ARCH ?= arm64
# Where `make functions` puts them.
DIST ?= dist
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
BUILD = $(GO) build -trimpath -ldflags "-s -w -X plumbline/internal/cli.Version=$(VERSION)" -o bin/

.PHONY: help setup build plumbline functions scan synth lint-templates lint-fixes bootstrap diff deploy destroy test test-second-opinion test-race e2e faults check mutants generate schemas format vet lint cover fuzz bench bench-peers bench-console console-check console-load cost scale coldstart clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Fetch the modules and build bin/plumbline
	@for m in $(MODULES); do $(GO) -C $$m mod download; done
	@$(MAKE) --no-print-directory build

build: plumbline ## Build bin/plumbline, and bin/plumbline-aws, which reads accounts
	@$(BUILD) ./cmd/plumbline-aws

plumbline:
	@$(BUILD) ./cmd/plumbline

functions: ## Build DIST/FOLDER/bootstrap, what Lambda runs, of every task (or FUNCTIONS="notify …") for FUNCTION_ARCH
	@printf '%s\n' $(FUNCTIONS) | GOOS=linux GOARCH=$(FUNCTION_ARCH) xargs -P 2 -I{} \
	  $(GO) build -trimpath -tags lambda.norpc -ldflags "-s -w -X plumbline/internal/bundle.Version=$(VERSION)" -o $(DIST)/{}/bootstrap ./tasks/{}/lambda

scan: plumbline ## Scan DIR (default: the example's cdk.out) through the workflow
	@bin/plumbline scan --exit-zero $(ARGS) $(DIR)

infra/node_modules/.package-lock.json: infra/package-lock.json
	@cd infra && npm ci --ignore-scripts --no-audit --no-fund

synth: functions infra/node_modules/.package-lock.json ## Make the CloudFormation templates of DEPLOYMENT in infra/cdk.out
	@$(GO) build -C infra -trimpath -ldflags "-s -w" -o ../bin/infra ./cmd/infra
	@rm -rf infra/cdk.out # else the stacks of a region that is no longer deployed stay there
	@$(CDK) synth --quiet --app "../bin/infra -deployment $(abspath $(DEPLOYMENT))"

lint-templates: synth ## Hold the templates to cfn-lint, installed with pip
	@tools/lint-templates.sh infra/cdk.out

lint-fixes: ## Hold what fixes make of other people's templates to cfn-lint, installed with pip; takes minutes
	@lint=$$(tools/install-cfn-lint.sh) && PLUMBLINE_CFN_LINT=$$lint $(GO) test ./remedy -run '^TestCorpusLint$$' -count 1 -timeout 30m -v

bootstrap: synth ## Make what CDK itself needs in each account and region of DEPLOYMENT, once
	@$(CDK) bootstrap --app cdk.out $(CDK_ARGS)

diff: synth ## Compare the templates with what is deployed
	@$(CDK) diff --app cdk.out $(CDK_ARGS)

deploy: synth ## Deploy DEPLOYMENT: what is kept, the organisation's policy, then what runs
	@$(CDK) deploy 'PlumblineData-*' --app cdk.out --exclusively $(CDK_ARGS)
	@infra/upload-bundle.sh
	@$(CDK) deploy 'PlumblineSuite-*' --app cdk.out --exclusively $(CDK_ARGS)

destroy: synth ## Delete what runs; say what stays
	@$(CDK) destroy 'PlumblineSuite-*' --app cdk.out --exclusively $(CDK_ARGS)
	@sed -n '/^## What stays/,/^## /{/^## /d;p}' docs/deploy.md

test: ## Test all modules
	@for m in $(MODULES); do echo "== module $$m"; $(GO) -C $$m test ./...; done

test-second-opinion: ## Run the workflows' scenarios on LocalStack's engine, installed with pip; needs Python 3.13
	@GO=$(GO) tools/second-opinion.sh

test-race: ## Test the root module under the race detector
	@CGO_ENABLED=1 $(GO) test -race ./...

e2e: ## Deploy the stacks to emulators of AWS, installed with pip, and follow events through them; ARGS goes to go test
	@GO=$(GO) e2e/run.sh $(ARGS)

faults: ## Run our workflows through every pair of faults, also those that "make test" takes others to stand for
	@FAULTS=all $(GO) test ./internal/local -run '^TestFaultsOf' -count 1 -v | grep -v '^=== '

check: ## All that a change must pass: generate changes nothing, format, vet, lint, test
	@before=$$(git diff | git hash-object --stdin); $(MAKE) --no-print-directory generate; \
	if [ "$$before" != "$$(git diff | git hash-object --stdin)" ]; then git diff --stat; echo 'make check: generated files were out of date. they are made again now: look at the diff, then run "make check" once more'; exit 1; fi
	@$(MAKE) --no-print-directory format vet lint mutants test

mutants: ## Change every part of every rule: some case must fail of each
	@PLUMBLINE_TEST_MUTANTS=all $(GO) test ./rules -run '^TestCasesShowEveryPart$$'

generate: ## Make the generated files again: rule index, pages of docs/, schemas of files
	@$(GO) generate ./rules ./remedy/... ./internal/... ./asl/... ./ruleset/... ./statemachine-tests/...
	@$(GO) generate .
	@$(GO) -C infra generate ./permission

schemas: ## Fetch AWS's resource schemas, as tools/schemas.requirements.txt pins them, and make cfn/schema/schemas.bin again
	@wheel=$$(tools/fetch-schemas.sh); $(GO) run -C tools ./schemagen -wheel "$(CURDIR)/$$wheel" -out "$(CURDIR)/cfn/schema/schemas.bin"

format: ## Fail on files that gofmt would change
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "not formatted (run gofmt -w):"; echo "$$bad"; exit 1; fi

vet: ## go vet in all modules
	@for m in $(MODULES); do $(GO) -C $$m vet ./...; done

lint: ## golangci-lint, as pinned in tools/go.mod
	@$(GO) build -C tools -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@for m in $(MODULES); do (cd $$m && $(CURDIR)/bin/golangci-lint run --config $(CURDIR)/.golangci.yaml ./...); done

cover: ## Statement coverage of the packages that judge
	@$(GO) test -cover ./cfn/... ./ruleset/... ./asl/... ./finding/...

fuzz: ## Run every fuzz target for FUZZTIME
	@$(GO) list -f '{{.ImportPath}}' ./... | while read -r p; do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; done; done

bench: plumbline ## Phases of a scan, the floor of parsing alone, and how it grows
	@$(GO) run ./bench -write docs/benchmarks.md $(ARGS)

cost: ## Write docs/cost.md from the transitions that the engine counts
	@$(GO) run ./bench/cost -write docs/cost.md

scale: ## Scan 10,000 stacks of 20 accounts in virtual time, and write docs/scale.md
	@SCALE=1 $(GO) test ./bench/estate -run '^TestThousands$$' -count 1
	@$(GO) run ./bench/estate -write docs/scale.md

coldstart: ## Write docs/coldstart.md: each function from exec to its first answer, and its size as it is uploaded
	@$(GO) run ./bench/coldstart -write docs/coldstart.md

bench-console: plumbline ## Measure the console on 100,000 findings while scans write, and write the figures into docs/console.md
	@$(GO) run ./bench/console

console-check: plumbline ## Look at each page of the console with Chromium and axe-core, on a scan of DIR; SHOTS=FOLDER keeps pictures
	@DIR="$(DIR)" SHOTS="$(SHOTS)" tools/consolecheck/check.sh

console-load: ## 1,000 readers and a writer on one database for LOAD
	@PLUMBLINE_CONSOLE_LOAD=$(LOAD) $(GO) test ./internal/console -run 'TestLoad$$' -v -count 1

bench-peers: plumbline ## Install other scanners, engines and servers by package name and print the ratios of one run
	@bench/engines.sh
	@bench/servers.sh
	@bench/peers.sh

clean: ## Remove what was built
	@rm -rf bin dist infra/cdk.out
