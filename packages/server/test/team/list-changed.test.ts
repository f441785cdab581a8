/** Changed lists: a change on one node reaches clients on the others. */

import { expect, onTestFinished, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { startTestServer } from '../../src/testing/index.ts'
import { listenTo } from '../support/event-reader.ts'
import { connect, postModern, read } from '../support/wire.ts'
import { mcp, prompts, resources, tools } from './hidden.ts'

test('clients on another node are notified of a changed list, in both eras', async () => {
  const store = createMemoryStore()
  const flags = { beta: false }
  const both = await Promise.all(
    [0, 1].map(() =>
      startTestServer({
        server: mcp.defineServer({ name: 'desk', sessionTools: false }),
        ...{ tools, resources, prompts, store, env: { MCP_AUTH: 'optional' } },
        services: { flags },
      }),
    ),
  )
  onTestFinished(async () => {
    await Promise.all(both.map(({ stop }) => stop()))
  })
  const [one, other] = both
  if (one === undefined || other === undefined) throw new Error('two nodes')
  const notifications = { toolsListChanged: true }
  const modern = await listenTo((signal) =>
    postModern(other.url, 'subscriptions/listen', { notifications }, { signal }),
  )
  const headers = await connect(other.url)
  const older = await listenTo((signal) =>
    fetch(`${other.url}/mcp`, { headers: { accept: 'text/event-stream', ...headers }, signal }),
  )
  const names = async () => {
    const { message } = await read(postModern(other.url, 'tools/list'))
    return ((message.result?.tools ?? []) as { name: string }[]).map(({ name }) => name)
  }
  expect(await names()).not.toContain('hidden-by-flag')
  await read(postModern(one.url, 'tools/call', { name: 'switch', arguments: {} }))
  const changed = ({ message }: { message: { method?: string } | undefined }) =>
    message?.method === 'notifications/tools/list_changed'
  await Promise.all([modern.until(changed), older.until(changed)])
  expect(await names()).toContain('hidden-by-flag')
  modern.close()
  older.close()
})
