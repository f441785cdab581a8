#!/bin/sh
# Puts mcp-remote for its test into .cache/mcp-remote. Nothing else uses it. Does nothing when it is
# there already.
set -eu

cd "$(dirname "$0")/.."
version=0.15.1
folder=.cache/mcp-remote
done=$folder/$version

[ -e "$done" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --silent \
  "mcp-remote@$version"
touch "$done"
