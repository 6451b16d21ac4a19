#!/usr/bin/env bash
# Installs the emulators, builds the functions for this machine, synthesizes the
# stacks and runs the tests of e2e/ against them: make e2e. All that it makes lies
# in .cache/e2e. Arguments go to go test, such as -run TestScan -v.
set -eu -o pipefail
cd "$(dirname "$0")/.."
e2e/needs.sh
go=${GO:-go} made=$PWD/.cache/e2e
mkdir -p "$made"
rm -f "$made/unavailable"

# missing ends with 69 (unavailable, of sysexits.h) and leaves a mark, since make
# ends with 2 whatever it was: nothing was tested.
missing() {
  printf '\n%s\n' "*** make e2e WAS NOT RUN: $1. Nothing is known of the deployed suite. ***" >&2
  touch "$made/unavailable"
  exit 69
}

# Each emulator has its own environment: they want different versions of the same.
# An install that was interrupted has no mark and begins anew.
for emulator in ministack moto; do
  list=e2e/$emulator.requirements.txt venv=$made/$emulator.venv
  mark=$venv/$(cksum < "$list" | tr ' ' -)
  if [ ! -e "$mark" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$list" || missing "what $list names cannot be installed"
    touch "$mark"
  fi
done
make --no-print-directory infra/node_modules/.package-lock.json || missing "CDK cannot be installed with npm"

make --no-print-directory functions FUNCTION_ARCH="$($go env GOHOSTARCH)" DIST="$made/dist"
$go build -C infra -trimpath -ldflags "-s -w" -o "$made/infra" ./cmd/infra
rm -rf "$made/cdk.out" "$made/dist/bundles"
(cd infra && CDK_VALIDATION=false CDK_DISABLE_CLI_TELEMETRY=true JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20 \
  node_modules/.bin/cdk --no-notices synth --quiet --output "$made/cdk.out" \
  --app "$made/infra -deployment ../e2e/deployment.json -functions $made/dist -bundles $made/dist")

# A test that panics or is interrupted leaves its emulators: a group of processes each.
trap 'for f in "$made"/*/pid; do [ ! -e "$f" ] || { kill -KILL -- "-$(cat "$f")" 2> /dev/null || true; rm "$f"; }; done' EXIT
E2E_DIR=$made "$go" test -tags e2e -count 1 -timeout 10m ./e2e "$@"
