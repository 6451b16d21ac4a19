#!/usr/bin/env bash
# Installs other engines of the States Language by package name, pinned, and prints
# how they compare with ours, all in one run. They are told nothing but the loop.
set -euo pipefail
cd "$(dirname "$0")/.."
AWS_LOCAL_STEPFUNCTIONS=3.0.0
PEERS=$PWD/.cache/peers
NODE=$PEERS/aws-local-stepfunctions-$AWS_LOCAL_STEPFUNCTIONS
if [ ! -d "$NODE/node_modules" ]; then
  mkdir -p "$NODE"
  npm install --silent --no-audit --no-fund --prefix "$NODE" "aws-local-stepfunctions@$AWS_LOCAL_STEPFUNCTIONS"
fi
go run ./bench -engines "$NODE" -write docs/benchmarks.md
