#!/bin/sh
# Installs a Node 22 for the conformance suite into .cache/node22, if the one in PATH is older. Nothing
# else uses it. Does nothing if it is installed.
set -eu

[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 22 ] && exit 0
package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
sh "$(dirname "$0")/install-client.sh" node22 "$package" 22.23.3
