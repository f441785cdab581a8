#!/bin/sh
# Runs suites again on a Redis Cluster, behind Sentinels and on Valkey: by default the most significant ones
# (a few minutes), with `complete` all of several nodes. Each run writes a report.
set -eu

cd "$(dirname "$0")/.."
sh .ci/redis-servers.sh valkey-9

status=0
# Runs a command, and continues if it fails: one run reports all failures.
step() {
  "$@" || status=1
}

again() {
  topology=$1
  shift
  report=artifacts/$topology-results.json
  TEST_REDIS=$topology npx vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@"
}

valkey() {
  report=artifacts/valkey-results.json
  TEST_REDIS_SERVER=$PWD/.cache/redis-servers/valkey-9 \
    npx vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@"
}

conform() {
  TEST_REDIS=$1 npm run conformance
}

# Paths of test files or their folders, without a pattern.
tests() {
  for name in "$@"; do echo "packages/server/test/$name"; done
}

case ${1:-chosen} in
  chosen)
    cluster='auth/nodes cluster/calls cluster/redis-faults cluster/streams-and-tokens attacks/code-race
      attacks/refresh-race'
    sentinel='auth/nodes cluster/streams-and-tokens attacks/code-race attacks/refresh-race'
    ;;
  complete)
    cluster='auth/nodes session/nodes session/several-upstreams-nodes cluster/
      attacks/account-narrowing attacks/account-page attacks/client-assertions attacks/code-race
      attacks/identity-assertions attacks/stored-sign-ins attacks/kill-switch attacks/leak-hunt
      attacks/machine-tokens attacks/node-messages attacks/on-behalf attacks/personal-token
      attacks/refresh-race attacks/registration attacks/session- attacks/storage-budget
      attacks/unused-mcp-sessions'
    sentinel=$cluster
    ;;
  *) echo 'The argument is "complete" or nothing' >&2 && exit 1 ;;
esac

# shellcheck disable=SC2046,SC2086 # Lists of words.
step again cluster $(tests $cluster)
# shellcheck disable=SC2046,SC2086
step again sentinel $(tests $sentinel)
# shellcheck disable=SC2046
step valkey $(tests store/redis-topologies)
step conform cluster
step conform sentinel
exit $status
