#!/bin/sh
# Installs the SMTP server of the tests under target/ and makes it a certificate, unless both are there. Prints the folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../../.." && pwd)
work="${CARGO_TARGET_DIR:-$root/target}/notify-smtp"
mkdir -p "$work"
if ! [ -f "$work/stamp" ] || ! cmp -s "$here/requirements.txt" "$work/stamp"; then
  python3 -m venv "$work/venv" >&2
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
  cp "$here/requirements.txt" "$work/stamp"
fi
echo "$work"
