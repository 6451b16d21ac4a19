#!/usr/bin/env bash
# Runs the scenarios of the workflows on an engine that is not ours: LocalStack's
# core, installed with pip as localstack.requirements.txt pins it, into the cache
# folder. The server listens on 127.0.0.1 only, gets no credentials, and ends with
# this script. Needs Python 3.13; says so and skips where there is none.
set -eu -o pipefail
cd "$(dirname "$0")/.."
pins=tools/localstack.requirements.txt
home=$PWD/.cache/second-opinion
log=$home/server.log

skip() {
  echo "make test-second-opinion: SKIPPED, our engine stays the only judge: $*" >&2
  exit 0
}

python=
for candidate in python3.13 python3 "$HOME"/.pyenv/versions/3.13.*/bin/python3.13; do
  if [ "$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)" = 3.13 ]; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || skip "there is no Python 3.13, the only version that the pinned server starts on"

mkdir -p "$home"
if ! cmp -s "$pins" "$home/installed.txt"; then
  echo "installing $(sed -n 's/^localstack-core==/LocalStack core /p' "$pins") into .cache/second-opinion"
  rm -rf "$home/venv" "$home/installed.txt"
  "$python" -m venv "$home/venv"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$pins" ||
    skip "pip could not install $pins (see above)"
  cp "$pins" "$home/installed.txt"
fi

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
files=$(mktemp -d)
# A clean environment: nothing of who runs this reaches the server.
env -i PATH="$PATH" HOME="$files" GATEWAY_LISTEN="127.0.0.1:$port" LOCALSTACK_HOST="127.0.0.1:$port" \
  DNS_ADDRESS=0 DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 FILESYSTEM_ROOT="$files/root" \
  SFN_MOCK_CONFIG="$PWD/statemachine-tests/MockConfigFile.json" \
  "$home/venv/bin/python" -m localstack.runtime.main >"$log" 2>&1 </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$files"' EXIT

health=http://127.0.0.1:$port/_localstack/health
for _ in $(seq 120); do
  if curl --noproxy '*' --fail --silent --output /dev/null "$health"; then ready=yes; break; fi
  kill -0 "$server" 2>/dev/null || break
  sleep 0.5
done
if [ -z "${ready:-}" ]; then
  tail -n 20 "$log" >&2
  echo "make test-second-opinion: the server did not start; its log is $log" >&2
  exit 1
fi

SFN_ENDPOINT=http://127.0.0.1:$port SFN_ENDPOINT_NAME=localstack SFN_ENDPOINT_OBJECTS=put \
  "${GO:-go}" test -count=1 -v -run '^TestEndpoint$' -parallel "${PARALLEL:-16}" -timeout 20m ./statemachine-tests |
  grep -v -e '^=== ' -e '^    --- PASS'
