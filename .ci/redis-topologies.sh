#!/bin/sh
# Runs some suites again on a Redis Cluster, behind Sentinels and on Valkey. Each run leaves its report.
set -eu

cd "$(dirname "$0")/.."
sh .ci/redis-servers.sh valkey-9

again() {
  report=artifacts/$1-results.json
  shift
  npx vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@"
}

tests=packages/server/test
TEST_REDIS=cluster again cluster "$tests"/auth/nodes.test.ts "$tests"/cluster/calls.test.ts \
  "$tests"/cluster/streams-and-tokens.test.ts "$tests"/attacks/code-race.test.ts \
  "$tests"/attacks/refresh-race.test.ts
TEST_REDIS=sentinel again sentinel "$tests"/auth/nodes.test.ts \
  "$tests"/cluster/streams-and-tokens.test.ts "$tests"/attacks/refresh-race.test.ts
TEST_REDIS_SERVER=$PWD/.cache/redis-servers/valkey-9 \
  again valkey "$tests"/store/redis-topologies.test.ts
TEST_REDIS=cluster npm run conformance
