#!/usr/bin/env bash
# Scans DIR with the real binary, three times so that there is a trend, plans a
# change so that there is one to decide on, serves the data folder, and has
# check.mjs look at each page. Screenshots go to SHOTS where that is set.
set -eu -o pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$chromium" ] || ! command -v npm >/dev/null; then
  echo "console-check: SKIPPED, nothing was looked at: Chromium or npm is not here (CHROMIUM=/path/to/chromium names one)" >&2
  exit 0
fi
[ -d node_modules/axe-core ] || npm ci --ignore-scripts --no-audit --no-fund >/dev/null
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
dir=$(cd "$root" && cd "$DIR" && pwd)
for _ in 1 2 3; do
  (cd "$dir/.." && "$root/bin/plumbline" scan --quiet --exit-zero --data "$tmp/data" "$(basename "$dir")" >/dev/null || [ $? -eq 3 ]) # something that cannot be judged may be among them
done
[ -z "${PLAN:-}" ] || bash -c "$PLAN" "$tmp/data"
"$root/bin/plumbline" serve --data "$tmp/data" --port 0 2>"$tmp/log" &
server=$!
for _ in $(seq 100); do grep -q "http://" "$tmp/log" && break; sleep 0.1; done
address=$(grep -o 'http://[0-9.:]*' "$tmp/log" | head -1)
node check.mjs "$address" "$chromium" "${SHOTS:-}"
