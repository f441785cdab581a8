#!/bin/sh
# Builds the official Go client for its test into .cache/go-client. Without Go it prints a message, and the test is skipped.
set -eu

cd "$(dirname "$0")/.."
source=packages/server/test/clients/programs/go
folder=$PWD/.cache/go-client
PATH=$PATH:/usr/local/go/bin

command -v go >/dev/null || { echo "No Go client: the command go is missing"; exit 0; }
version=$(cat "$source"/* | cksum | tr -d ' ')
[ -e "$folder/$version" ] && exit 0
rm -rf "$folder"
mkdir -p "$folder"
go build -C "$source" -o "$folder/client" . && touch "$folder/$version"
