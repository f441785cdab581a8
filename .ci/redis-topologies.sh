#!/bin/sh
# Runs suites again on a Redis Cluster, behind Sentinels and on Valkey: by default those that show most
# in a few minutes, with `complete` all of several nodes. Each run leaves its report.
set -eu

cd "$(dirname "$0")/.."
sh .ci/redis-servers.sh valkey-9

again() {
  report=artifacts/$1-results.json
  shift
  npx vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@"
}

# Paths of test files or their folders, without a pattern.
tests() {
  for name in "$@"; do echo "packages/server/test/$name"; done
}

case ${1:-chosen} in
  chosen)
    cluster='auth/nodes cluster/calls cluster/redis-faults cluster/streams-and-tokens attacks/code-race
      attacks/kill-switch attacks/refresh-race'
    sentinel='auth/nodes cluster/streams-and-tokens attacks/code-race attacks/refresh-race'
    ;;
  complete)
    cluster='auth/nodes session/nodes session/several-upstreams-nodes cluster/
      attacks/account-narrowing attacks/account-page attacks/client-assertions attacks/code-race
      attacks/identity-assertions attacks/kept-sign-ins attacks/kill-switch attacks/leak-hunt
      attacks/machine-tokens attacks/node-messages attacks/on-behalf attacks/personal-token
      attacks/refresh-race attacks/registration attacks/session- attacks/storage-budget
      attacks/unused-connections'
    sentinel=$cluster
    ;;
  *) echo 'The argument is "complete" or nothing' >&2 && exit 1 ;;
esac

# shellcheck disable=SC2046,SC2086 # Lists of words.
TEST_REDIS=cluster again cluster $(tests $cluster)
# shellcheck disable=SC2046,SC2086
TEST_REDIS=sentinel again sentinel $(tests $sentinel)
TEST_REDIS_SERVER=$PWD/.cache/redis-servers/valkey-9 again valkey $(tests store/redis-topologies)
TEST_REDIS=cluster npm run conformance
TEST_REDIS=sentinel npm run conformance
