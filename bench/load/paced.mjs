/**
 * Sends one job's requests at a steady rate, and measures each from the moment it was due: a server
 * that holds one request up is charged for all that had to wait behind it. Prints one line of JSON.
 */

import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import { readCallers } from './callers.mjs'

const WARM_UP_MS = 1000

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const headersOf = readCallers(job)
const { origin, pathname: path } = new URL(job.url)
const pool = new Pool(origin, { connections: job.connections, pipelining: 1 })

const latencies = []
let failures = 0
let running = 0

async function send(due, counts) {
  running += 1
  const { statusCode, body } = await pool.request({
    ...{ path, method: 'POST', headers: headersOf(), body: job.body },
  })
  const text = await body.text()
  if (statusCode !== 200 || !text.includes(job.expect)) failures += 1
  if (counts) latencies.push(performance.now() - due)
  running -= 1
}

const started = performance.now()
const endsAt = started + WARM_UP_MS + job.seconds * 1000
const everyMs = 1000 / job.rate
for (let due = started; due < endsAt; ) {
  const now = performance.now()
  for (; due <= now && due < endsAt; due += everyMs) {
    send(due, due - started > WARM_UP_MS).catch(() => {
      failures += 1
      running -= 1
    })
  }
  await new Promise((resolve) => setImmediate(resolve))
}
while (running > 0) await delay(10)
await pool.close()

latencies.sort((a, b) => a - b)
const percentile = (share) => latencies[Math.floor(latencies.length * share)]
const outcome = {
  ...{ requests: latencies.length, seconds: job.seconds, failures },
  ...{ p50Ms: percentile(0.5), p99Ms: percentile(0.99) },
}
process.stdout.write(`\n${JSON.stringify(outcome)}\n`)
