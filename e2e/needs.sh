#!/usr/bin/env bash
# Says what `make e2e` needs and this machine has not; ends with 1 then.
set -eu -o pipefail
missing=
say() { missing=1; echo "$1" >&2; }
python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2> /dev/null || say "python3 of 3.10 or later, with venv and pip, is not there"
command -v npm > /dev/null || say "npm, of Node 20 or later, is not there"
[ -z "$missing" ]
