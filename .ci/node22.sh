#!/bin/sh
# Puts a Node 22 for the conformance suite into .cache/node22, if the one in PATH is older. Nothing
# else uses it. Does nothing when it is there already.
set -eu

cd "$(dirname "$0")/.."
version=22.23.3
folder=.cache/node22
done=$folder/$version

[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 22 ] && exit 0
[ -e "$done" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --silent \
  "$package@$version"
touch "$done"
