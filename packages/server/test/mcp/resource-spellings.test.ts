/** URIs that clients percent-encode: listed, read and subscribed to in both spellings. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { moduleOf, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { ERAS } from '../support/clients.ts'
import { type Listening, listen, listenTo, saying } from '../support/event-reader.ts'
import { ask, connect, post, postModern, read, request } from '../support/wire.ts'

const FIXED = 'docs://caf\u00e9/open hours'
const TEMPLATE = 'docs://gr\u00f6\u00dfe/{name}'
/** Each URI as declared, and as a client sends it that parses URIs. */
const SPELLINGS = [
  [FIXED, 'docs://caf%C3%A9/open%20hours'],
  ['docs://gr\u00f6\u00dfe/klein & fein', 'docs://gr%C3%B6%C3%9Fe/klein%20&%20fein'],
] as const

let app: TestApp
beforeAll(async () => {
  const reads = "read: async ({ variables, uri }) => variables?.name ?? 'fixed'"
  const catalogDirectory = writeCatalog({
    'resources/fixed.ts': moduleOf(
      `export default defineResource({ name: 'fixed', uri: '${FIXED}', description: 'A.', ${reads} })`,
    ),
    'resources/template.ts': moduleOf(
      `export default defineResource({ name: 'template', uri: '${TEMPLATE}', description: 'B.', ${reads} })`,
    ),
    'tools/change.ts': moduleOf(`export default defineTool({
      name: 'change', description: 'Changes.', input: z.object({ uri: z.string() }),
      output: z.object({}),
      async run({ input, announce }) { announce.resourceUpdated(input.uri); return {} },
    })`),
  })
  app = await startApp({ catalogDirectory })
})
afterAll(() => app.stop())

describe.each(ERAS)('in %s', (era) => {
  test.each(SPELLINGS)('%s is read in both spellings', async (declared, encoded) => {
    const texts = []
    for (const uri of [declared, encoded]) {
      const { message } = await ask(app.url, era, 'resources/read', { uri })
      const { contents } = message.result as { contents: { text: string }[] }
      texts.push(contents[0]?.text)
    }
    expect(texts[0]).toBeDefined()
    expect(texts[1]).toBe(texts[0])
  })

  test.each(SPELLINGS)('an update of %s arrives as it was subscribed to', async (...spellings) => {
    const [declared] = spellings
    for (const uri of spellings) {
      const stream = await subscribe(era, uri)
      await ask(app.url, era, 'tools/call', { name: 'change', arguments: { uri: declared } })
      await stream.until(saying('notifications/resources/updated'))
      const updated = stream.messages.filter(({ method }) => method?.endsWith('/updated'))
      expect(updated.map(({ params }) => params?.uri)).toEqual([uri])
      stream.close()
    }
  })
})

async function subscribe(era: string, uri: string): Promise<Listening> {
  if (era === '2026-07-28') {
    const params = { notifications: { resourceSubscriptions: [uri] } }
    const stream = await listenTo((signal) =>
      postModern(app.url, 'subscriptions/listen', params, { signal }),
    )
    await stream.until(saying('notifications/subscriptions/acknowledged'))
    return stream
  }
  const headers = await connect(app.url)
  await read(post(app.url, request('resources/subscribe', { uri }), headers))
  const stream = await listen(`${app.url}/mcp`, headers)
  await stream.until(({ id }) => id !== undefined)
  return stream
}
