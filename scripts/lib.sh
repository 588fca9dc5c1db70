# Shared by the scripts beside it; sourced in the root of the repository.

target=$(mkdir -p "${CARGO_TARGET_DIR:-target}" && cd "${CARGO_TARGET_DIR:-target}" && pwd)
# Programs that only the tests use.
tools="$target/test-tools"
# Logs and figures of the last run.
work="$target/test"
# The oldest Node that the console's build runs on (console/package.json says so, too).
NODE_MIN=20.19
PATH="$tools/bin:$PATH"
mkdir -p "$work"

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# The executable under test: the one given as PLINTH_BIN, or a debug build made now.
executable() {
  if [ -z "${PLINTH_BIN:-}" ]; then
    cargo build --locked -p plinth >&2
    PLINTH_BIN="$target/debug/plinth"
  fi
  realpath "$PLINTH_BIN"
}

node_is_new_enough() {
  command -v npm >/dev/null || return 1
  node -e '
    const [have, need] = [process.versions.node, process.argv[1]].map((v) => v.split(".").map(Number));
    process.exit(have[0] > need[0] || (have[0] === need[0] && have[1] >= need[1]) ? 0 : 1);
  ' "$NODE_MIN" 2>/dev/null
}

# install_venv NAME REQUIREMENTS: a Python environment below $tools, made again when its requirements change. The stamp
# is written last, so that an interrupted installation is not taken for a finished one.
install_venv() {
  local home="$tools/$1" requirements=$2
  cmp -s "$requirements" "$home/stamp" && return
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$home/stamp"
}
