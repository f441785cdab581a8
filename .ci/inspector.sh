#!/bin/sh
# Puts the MCP Inspector for its test into .cache/inspector, and the Node it wants, if the one in
# PATH is older. Does nothing when they are there already.
set -eu

cd "$(dirname "$0")/.."
sh .ci/node22.sh
version=2.12.0
folder=.cache/inspector
done=$folder/$version

[ -e "$done" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --silent \
  "@modelcontextprotocol/inspector@$version"
touch "$done"
