#!/bin/sh
# Installs the protocol's own definitions under target/, unless they are there. Prints the folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/otlp-check"
mkdir -p "$work"
if ! [ -f "$work/stamp" ] || ! cmp -s "$here/requirements.txt" "$work/stamp"; then
  python3 -m venv "$work/venv" >&2
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  cp "$here/requirements.txt" "$work/stamp"
fi
echo "$work"
