/** Two nodes that share a store: each request of a client goes to the other one. */

import { expect, it, onTestFinished } from 'vitest'
import { connect, ERAS } from './client.ts'
import { start } from './start.ts'

it.each(ERAS)('signs in, confirms and changes across nodes, in the era %s', async (era) => {
  const { api, servers, token, stop } = await start({ tickets: 3, nodes: 2 })
  const { client, questions } = await connect(servers, era, await token('ada'))
  onTestFinished(async () => {
    await client.close()
    await stop()
  })
  const created = { name: 'ticket_create', arguments: { title: 'Paper jam' } }
  expect((await client.callTool(created)).structuredContent).toEqual({ created: true, id: 'eu-4' })
  expect(questions).toHaveLength(2)
  const read = { name: 'ticket_read', arguments: { id: 'eu-4' } }
  expect((await client.callTool(read)).structuredContent).toMatchObject({ title: 'Paper jam' })
  expect(api.tickets).toHaveLength(4)
  const logs = servers.map((server) => server.log().filter(({ route }) => route === '/mcp'))
  expect(logs.map(({ length }) => length > 0)).toEqual([true, true])
})
