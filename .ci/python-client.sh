#!/bin/sh
# Installs the official Python clients for their test into .cache/python-client and .cache/python-2-client.
set -eu

cd "$(dirname "$0")/.."

install() {
  folder=.cache/$1
  shift
  done=$folder/$(echo "$*" | tr -d ' =')
  [ -e "$done" ] && return
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  touch "$done"
}

install python-client mcp==1.30.0
install python-2-client mcp==2.3.0 fastmcp==4.2.3
