#!/usr/bin/env bash
# Fetches the package that AWS's resource schemas come in, as schemas.version
# pins it, into the cache folder, with the ordinary pip client. Prints the path
# of the wheel. Does nothing where the wheel is there already.
set -eu -o pipefail
cd "$(dirname "$0")/.."
version=$(cat tools/schemas.version)
wheel=".cache/cfn_lint-$version-py3-none-any.whl"
if [ ! -f "$wheel" ]; then
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest .cache "cfn-lint==$version" >&2
fi
echo "$wheel"
