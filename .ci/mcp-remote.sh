#!/bin/sh
# Installs mcp-remote for its test into .cache/mcp-remote.
set -eu

sh "$(dirname "$0")/install-client.sh" mcp-remote mcp-remote 0.15.1
