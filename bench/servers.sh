#!/usr/bin/env bash
# Installs ministack (PyPI) by package name, pinned, and prints how its Step
# Functions API compares with ours over HTTP, all in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
MINISTACK=1.5.33
VENV=$PWD/.cache/peers/ministack-$MINISTACK
if [ ! -x "$VENV/bin/ministack" ]; then
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check "ministack==$MINISTACK"
fi
go run ./bench -servers "$VENV/bin/ministack" -write docs/benchmarks.md
