#!/usr/bin/env bash
# Fetches the package that AWS's resource schemas come in, as
# schemas.requirements.txt pins it, into the cache folder, with the ordinary
# pip client. Prints the path of the wheel. Does nothing where it is there already.
set -eu -o pipefail
cd "$(dirname "$0")/.."
pins=tools/schemas.requirements.txt
version=$(sed -n 's/^cfn-lint==\([^ ]*\) .*/\1/p' "$pins")
wheel=".cache/cfn_lint-$version-py3-none-any.whl"
if [ ! -f "$wheel" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --dest .cache --requirement "$pins" >&2
fi
echo "$wheel"
