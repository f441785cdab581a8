#!/bin/sh
# Installs the Node of the image into .cache/node24 for the test of the image, if the one in PATH is of
# another major version. Does nothing if it is installed.
set -eu

[ "$(node -p 'process.versions.node.split(".")[0]')" -eq 24 ] && exit 0
package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
sh "$(dirname "$0")/install-client.sh" node24 "$package" 24.21.0
