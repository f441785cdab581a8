/** `/readyz` asks the services of a team, and anybody may request it any number of times. */

import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createMcp } from '../../src/create-mcp.ts'
import { startTestServer } from '../../src/testing/index.ts'

const { defineServer } = createMcp({})

test('services are asked once at a time', async () => {
  let [asked, running, most] = [0, 0, 0]
  const readiness = async () => {
    asked += 1
    running += 1
    most = Math.max(most, running)
    await delay(100)
    running -= 1
  }
  const server = await startTestServer({ server: defineServer({ name: 'desk', readiness }) })
  onTestFinished(() => server.stop())
  const flood = Array.from({ length: 50 }, () => fetch(`${server.url}/readyz`))
  const statuses = (await Promise.all(flood)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(most).toBe(1)
  const before = asked
  expect(before).toBeLessThan(25)
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  expect(asked).toBe(before + 1)
})
