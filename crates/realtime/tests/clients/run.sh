#!/bin/sh
# Runs the npm and PyPI clients against a hub. Installs them under target/ when they are not there.
# PLINTH_REALTIME_ADDRESS names a running test server; without it the example server is started.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/realtime-clients"
mkdir -p "$work"

# The stamp is written last, so that an interrupted installation is done again.
install_when_changed() { # name, files..., -- command...
  name=$1; shift
  wanted=""
  while [ "$1" != "--" ]; do wanted="$wanted$(cat "$1")"; shift; done
  shift
  if [ ! -f "$work/$name.stamp" ] || [ "$(cat "$work/$name.stamp")" != "$wanted" ]; then
    "$@"
    printf '%s' "$wanted" > "$work/$name.stamp"
  fi
}

install_npm() {
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
  (cd "$work" && npm ci --silent)
}

install_python() {
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
}

install_when_changed npm "$here/package.json" "$here/package-lock.json" -- install_npm
install_when_changed python "$here/requirements.txt" -- install_python

if [ -z "${PLINTH_REALTIME_ADDRESS:-}" ]; then
  pipes=$(mktemp -d)
  mkfifo "$pipes/stdin"
  (cd "$root" && cargo build --quiet -p plinth-realtime --example conformance_server)
  "${CARGO_TARGET_DIR:-$root/target}/debug/examples/conformance_server" < "$pipes/stdin" > "$pipes/address" &
  # The server ends when its standard input does, which is when this script ends.
  exec 9> "$pipes/stdin"
  while [ ! -s "$pipes/address" ]; do sleep 0.1; done
  PLINTH_REALTIME_ADDRESS=$(cat "$pipes/address")
  rm -r "$pipes"
fi
export PLINTH_REALTIME_ADDRESS

# Beside its dependencies, because that is where Node looks for them.
cp "$here/npm_client.mjs" "$work/"
node "$work/npm_client.mjs"
"$work/venv/bin/python" "$here/pypi_client.py"
