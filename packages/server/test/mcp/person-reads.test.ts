/**
 * Resources and prompts on behalf of users: session, sign-in, requests for input, limits and audit log.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Line } from '../../src/testing/recording-logger.ts'
import { writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS, type Era } from '../support/clients.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'

import { IBAN, PERSON_CATALOG } from './person-catalog.ts'

let directory: string
beforeAll(() => {
  directory = writeCatalog(PERSON_CATALOG)
})

describe.each(ERAS)('in %s', (era: Era) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp({ catalogDirectory: directory })
  })
  afterAll(() => app.stop())

  const connectSigningIn = (person: string, asked: string[] = []) =>
    connectClient(app.url, era, {
      async onUrl(url, message) {
        asked.push(url)
        await signInAs(newBrowser(), { url, code: codeIn(message) }, person)
        return 'accept'
      },
    })
  const lines = () => app.lines.map((line) => JSON.parse(line) as Line)

  test('a read requires a sign-in, continues as that user, and is masked', async () => {
    const asked: string[] = []
    const { client } = await connectSigningIn('ada', asked)
    const result = await client.readResource({ uri: 'bank://accounts/me' })
    expect(asked).toHaveLength(1)
    expect(result.contents).toEqual([
      {
        uri: 'bank://accounts/me',
        mimeType: 'application/json',
        text: '{"owner":"Ada Lovelace","iban":"GB33****************55"}',
      },
    ])
    await client.close()
  })

  test('so does a prompt', async () => {
    const { client } = await connectSigningIn('grace')
    const { messages } = await client.getPrompt({ name: 'summary', arguments: { style: 'brief' } })
    expect(messages).toMatchObject([{ content: { text: 'brief for Grace Hopper' } }])
    await client.close()
  })

  test('a user who declines, or a client that cannot open pages, gets instructions', async () => {
    const { client: declining } = await connectClient(app.url, era, {
      onUrl: async () => 'decline',
    })
    const { client: plain } = await connectClient(app.url, era)
    for (const get of [
      (client: typeof plain) => client.readResource({ uri: 'bank://accounts/me' }),
      (client: typeof plain) => client.getPrompt({ name: 'summary', arguments: { style: 'a' } }),
    ]) {
      await expect(get(declining)).rejects.toMatchObject({
        code: -32603,
        data: { code: 'login_declined' },
      })
      await expect(get(plain)).rejects.toMatchObject({
        code: -32603,
        data: { code: 'login_required' },
      })
    }
    await Promise.all([declining.close(), plain.close()])
  })

  test('a failure discloses no masked value: error, log, progress', async () => {
    const { client } = await connectSigningIn('ada')
    const progress: unknown[] = []
    const failing = client.readResource(
      { uri: 'bank://leaky' },
      { onprogress: (said) => progress.push(said) },
    )
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: -32603, data: { code: 'upstream_not_found' } })
    expect(String(error)).toContain('No account ****')
    for (const said of [String(error), JSON.stringify(progress), app.lines.join('\n')]) {
      expect(said).not.toContain(IBAN)
    }
    await client.close()
  })

  test('time and rate are limited like those of tools', async () => {
    const { client } = await connectClient(app.url, era)
    await expect(client.readResource({ uri: 'bank://slow' })).rejects.toMatchObject({
      data: { code: 'timeout' },
    })
    await client.readResource({ uri: 'bank://limited' }).catch(() => undefined)
    await expect(client.readResource({ uri: 'bank://limited' })).rejects.toMatchObject({
      data: { code: 'too_many_requests', retryAfterSeconds: expect.any(Number) },
    })
    await client.close()
  })

  test('it sees the caller, the session, settings and services', async () => {
    const { client } = await connectClient(app.url, era)
    const { contents } = await client.readResource({ uri: 'bank://who' })
    expect(JSON.parse((contents[0] as { text: string }).text)).toEqual({
      kind: 'anonymous',
      state: 'anonymous',
      settings: {},
      services: {},
    })
    await client.close()
  })

  test('reads and prompts have a line in the audit log, without URI and arguments', async () => {
    const { client } = await connectSigningIn('ada')
    await client.readResource({ uri: 'bank://accounts/me' })
    await client.getPrompt({ name: 'summary', arguments: { style: 'secretive' } })
    const audited = lines().filter(({ stream }) => stream === 'audit')
    expect(audited).toContainEqual(
      expect.objectContaining({ msg: 'resource read', resource: 'account', outcome: 'ok' }),
    )
    expect(audited).toContainEqual(
      expect.objectContaining({ msg: 'prompt', prompt: 'summary', outcome: 'ok' }),
    )
    expect(JSON.stringify(audited)).not.toMatch(/accounts\/me|secretive/)
    await client.close()
  })

  test('suggestions use the session; without a sign-in there are none', async () => {
    const { client } = await connectSigningIn('ada')
    const suggest = async (ref: Parameters<typeof client.complete>[0]['ref'], name: string) =>
      (await client.complete({ ref, argument: { name, value: 'x' } })).completion.values
    const account = { type: 'ref/resource', uri: 'bank://accounts/{id}' } as const
    const summary = { type: 'ref/prompt', name: 'summary' } as const
    expect(await suggest(account, 'id')).toEqual([])
    expect(await suggest(summary, 'style')).toEqual([])
    if (era === '2025-11-25') {
      await client.readResource({ uri: 'bank://accounts/me' })
      expect(await suggest(account, 'id')).toEqual(['Ada Lovelace authenticated x'])
      expect(await suggest(summary, 'style')).toEqual(['authenticated x'])
    }
    expect(await suggest(account, 'constructor')).toEqual([])
    await client.close()
  })
})
