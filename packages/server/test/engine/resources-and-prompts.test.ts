/** Resources and prompts, as clients of either era see them. */

import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS } from '../support/clients.ts'
import { moduleOf, writeCatalog } from './catalog.ts'

const SECRET = 'postgres://admin:hunter22@db'

const PROJECT = {
  'resources/logo.ts': moduleOf(`export default defineResource({
    name: 'logo', uri: 'bank://logo', mimeType: 'image/png', read: async () => ({ blob: 'iVBORw==' }),
  })`),
  'resources/broken.ts': moduleOf(`export default defineResource({
    name: 'broken', uri: 'bank://broken', read: async () => { throw new Error('${SECRET}') },
  })`),
  'prompts/broken.ts': moduleOf(`export default definePrompt({
    name: 'broken', description: 'Fails.', arguments: z.object({}),
    render: () => { throw new Error('${SECRET}') },
  })`),
}

describe.each(ERAS)('a client of %s', (era) => {
  let own: TestApp
  let fork: TestApp
  let client: Client
  let forkClient: Client
  beforeAll(async () => {
    own = await startApp()
    fork = await startApp({ catalogDirectory: writeCatalog(PROJECT) })
    client = (await connectClient(own.url, era)).client
    forkClient = (await connectClient(fork.url, era)).client
  })
  afterAll(async () => {
    await Promise.all([client.close(), forkClient.close()])
    await Promise.all([own.stop(), fork.stop()])
  })

  it('finds the branches, and reads one', async () => {
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates).toMatchObject([
      { name: 'branches', uriTemplate: 'bank://branches/{city}', mimeType: 'application/json' },
    ])
    const { contents } = await client.readResource({ uri: 'bank://branches/lyon' })
    expect(contents).toMatchObject([{ uri: 'bank://branches/lyon', mimeType: 'application/json' }])
    expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ city: 'lyon' })
  })

  it('gets an error for an unknown branch', async () => {
    await expect(client.readResource({ uri: 'bank://branches/atlantis' })).rejects.toMatchObject({
      code: -32602,
    })
  })

  it('gets an error for an unknown resource', async () => {
    await expect(client.readResource({ uri: 'bank://nothing' })).rejects.toMatchObject({
      code: -32602,
    })
  })

  it('gets suggestions for a city', async () => {
    const suggestions = async (typed: string) => {
      const ref = { type: 'ref/resource', uri: 'bank://branches/{city}' } as const
      const { completion } = await client.complete({
        ref,
        argument: { name: 'city', value: typed },
      })
      return completion.values
    }
    expect(await suggestions('l')).toEqual(['london', 'lyon'])
    expect(await suggestions('x')).toEqual([])
  })

  it.each(['constructor', 'toString', '__proto__'])('has no suggestions for %s', async (name) => {
    const ref = { type: 'ref/resource', uri: 'bank://branches/{city}' } as const
    const { completion } = await client.complete({ ref, argument: { name, value: 'a' } })
    expect(completion.values).toEqual([])
  })

  it('finds the prompt with its arguments, and gets it rendered', async () => {
    const { prompts } = await client.listPrompts()
    expect(prompts).toMatchObject([
      {
        name: 'account-summary',
        arguments: [
          { name: 'audience', required: true },
          { name: 'accountId', required: false },
        ],
      },
    ])
    const { messages } = await client.getPrompt({
      name: 'account-summary',
      arguments: { audience: 'beginner', accountId: 'acc-7' },
    })
    expect(messages).toMatchObject([{ role: 'user', content: { type: 'text' } }])
    expect(JSON.stringify(messages)).toMatch(/acc-7.*beginner/)
  })

  it("gets suggestions for the prompt's audience", async () => {
    const ref = { type: 'ref/prompt', name: 'account-summary' } as const
    const argument = { name: 'audience', value: 'e' }
    expect((await client.complete({ ref, argument })).completion.values).toEqual(['expert'])
  })

  it("gets the faults of a prompt's arguments", async () => {
    for (const args of [{}, { audience: 'x'.repeat(41) }]) {
      const got = client.getPrompt({ name: 'account-summary', arguments: args as never })
      await expect(got).rejects.toMatchObject({ code: -32602 })
    }
    await expect(client.getPrompt({ name: 'nothing' })).rejects.toMatchObject({ code: -32602 })
  })

  it('reads a resource of bytes', async () => {
    const { contents } = await forkClient.readResource({ uri: 'bank://logo' })
    expect(contents).toEqual([{ uri: 'bank://logo', mimeType: 'image/png', blob: 'iVBORw==' }])
  })

  it('does not get the reason of a failure, which is in the log', async () => {
    for (const failing of [
      () => forkClient.readResource({ uri: 'bank://broken' }),
      () => forkClient.getPrompt({ name: 'broken' }),
    ]) {
      const error = await failing().catch((error: unknown) => error)
      expect(error).toMatchObject({ code: -32603 })
      expect(String(error)).not.toContain('hunter22')
    }
    expect(fork.lines.filter((line) => line.includes('"level":"error"'))).toHaveLength(2)
  })
})
