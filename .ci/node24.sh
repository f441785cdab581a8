#!/bin/sh
# Puts the Node of the image into .cache/node24 for the test of the image, if the one in PATH is of
# another line. Does nothing when it is there already.
set -eu

[ "$(node -p 'process.versions.node.split(".")[0]')" -eq 24 ] && exit 0
package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
sh "$(dirname "$0")/install-client.sh" node24 "$package" 24.21.0
