#!/bin/sh
# Puts the official Python client for its test into .cache/python-client.
set -eu

cd "$(dirname "$0")/.."
version=1.30.0
folder=.cache/python-client

[ -e "$folder/$version" ] && exit 0
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "mcp==$version"
touch "$folder/$version"
