#!/usr/bin/env bash
# Installs checkov (PyPI) and trivy (Go module) by package name, pinned, and prints
# the processor time of one scan of the same folder by each, over the floor of
# parsing alone, all in one run. DATA names the folder; without it templates are made.
# LABELS names a file of labelled templates: what each finds in them is compared as
# well, and written to docs/benchmarks.md. Trivy is built from source the first time, which takes a while.
set -euo pipefail
cd "$(dirname "$0")/.."
CHECKOV=3.3.30
TRIVY=v0.74.0
PEERS=$PWD/.cache/peers
mkdir -p "$PEERS"
if [ ! -x "$PEERS/venv/bin/checkov" ]; then
  python3 -m venv "$PEERS/venv"
  "$PEERS/venv/bin/pip" install -q "checkov==$CHECKOV"
fi
if [ ! -x "$PEERS/trivy" ]; then
  mkdir -p "$PEERS/trivymod"
  (
    cd "$PEERS/trivymod"
    [ -f go.mod ] || go mod init peers >/dev/null 2>&1
    GOEXPERIMENT=jsonv2 go get -tool "github.com/aquasecurity/trivy/cmd/trivy@$TRIVY"
    GOEXPERIMENT=jsonv2 CGO_ENABLED=0 go build -o "$PEERS/trivy" github.com/aquasecurity/trivy/cmd/trivy
  )
fi
go run ./bench -peers "$PEERS" ${DATA:+-data "$DATA"}
if [ -n "${LABELS:-}" ]; then
  go run ./bench -peers "$PEERS" -labels "$LABELS" -write docs/benchmarks.md
fi
