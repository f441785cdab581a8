/** Sends one job's requests with autocannon, where there is no wrk. Prints one line of JSON. */

import { readFileSync } from 'node:fs'
import autocannon from 'autocannon'
import { readCallers } from './callers.mjs'

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const headersOf = readCallers(job)

const result = await autocannon({
  url: job.url,
  connections: job.connections,
  duration: job.seconds,
  ...(job.rate && { overallRate: job.rate }),
  method: 'POST',
  requests: [
    {
      method: 'POST',
      body: job.body,
      headers: job.headers,
      setupRequest: (request) => ({ ...request, headers: headersOf() }),
    },
  ],
  verifyBody: (body) => body.includes(job.expect),
})

const failures = result.non2xx + result.errors + result.mismatches
const { p50, p99 } = result.latency
const outcome = {
  ...{ requests: result.requests.total, seconds: result.duration, failures },
  ...{ p50Ms: p50, p99Ms: p99 },
}
process.stdout.write(`\n${JSON.stringify(outcome)}\n`)
