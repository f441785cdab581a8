#!/bin/sh
# Installs a client for its test into .cache/NAME: sh .ci/install-client.sh NAME PACKAGE VERSION
# Nothing else uses it. Does nothing if it is installed.
set -eu

cd "$(dirname "$0")/.."
folder=.cache/$1
done=$folder/$3

[ -e "$done" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --silent "$2@$3"
touch "$done"
