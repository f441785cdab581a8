#!/bin/sh
# Installs Claude Code for its test into .cache/claude-code.
set -eu

sh "$(dirname "$0")/install-client.sh" claude-code @anthropic-ai/claude-code 2.1.332
