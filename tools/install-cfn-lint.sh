#!/usr/bin/env bash
# Installs cfn-lint with pip, as cfn-lint.requirements.txt pins it, into the cache
# folder and prints the program's path. Ends with 69 and the reason where it cannot.
set -eu -o pipefail
cd "$(dirname "$0")/.."
pins=tools/cfn-lint.requirements.txt
home=$PWD/.cache/cfn-lint

unavailable() {
  echo "$*" >&2
  exit 69
}

command -v python3 >/dev/null || unavailable "there is no python3"
mkdir -p "$home"
if ! cmp -s "$pins" "$home/installed.txt"; then
  echo "installing cfn-lint into .cache/cfn-lint" >&2
  rm -rf "$home/venv" "$home/installed.txt"
  python3 -m venv "$home/venv" || unavailable "python3 makes no virtual environments"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$pins" >&2 ||
    unavailable "pip could not install $pins (see above)"
  cp "$pins" "$home/installed.txt"
fi
echo "$home/venv/bin/cfn-lint"
