#!/bin/sh
# Installs promtool, of Debian's package prometheus, into .cache/promtool: it checks the alerts. The rest
# of the package is not installed. Does nothing if it is installed, there or in PATH.
set -eu

cd "$(dirname "$0")/.."
folder=.cache/promtool

command -v promtool >/dev/null && exit 0
[ -x "$folder/promtool" ] && exit 0
mkdir -p "$folder"
cd "$folder"
if ! apt-get -qq download prometheus 2>/dev/null; then
  # The package lists are outdated or missing.
  if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo apt-get -qq update; fi
  apt-get -qq download prometheus
fi
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x --strip-components=3 ./usr/bin/promtool
rm prometheus_*.deb
