#!/usr/bin/env bash
# Holds CloudFormation templates of a folder to cfn-lint, installed with pip as
# cfn-lint.requirements.txt pins it, into the cache folder: no error and no
# warning. Says so and skips where there is no Python.
set -eu -o pipefail
cd "$(dirname "$0")/.."
folder=${1:-infra/cdk.out}
pins=tools/cfn-lint.requirements.txt
home=$PWD/.cache/cfn-lint

skip() {
  echo "make lint-templates: SKIPPED, our own rules stay the only judge: $*" >&2
  exit 0
}

command -v python3 >/dev/null || skip "there is no python3"
mkdir -p "$home"
if ! cmp -s "$pins" "$home/installed.txt"; then
  echo "installing cfn-lint into .cache/cfn-lint"
  rm -rf "$home/venv" "$home/installed.txt"
  python3 -m venv "$home/venv" || skip "python3 makes no virtual environments"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check --no-input --requirement "$pins" ||
    skip "pip could not install $pins (see above)"
  cp "$pins" "$home/installed.txt"
fi
"$home/venv/bin/cfn-lint" "$folder"/*.template.json
echo "cfn-lint: $(ls "$folder"/*.template.json | wc -l) templates, no error and no warning"
