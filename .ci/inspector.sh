#!/bin/sh
# Installs the MCP Inspector for its test into .cache/inspector, and the Node it requires, if the one in
# PATH is older.
set -eu

cd "$(dirname "$0")"
sh node22.sh
sh install-client.sh inspector @modelcontextprotocol/inspector 2.12.0
