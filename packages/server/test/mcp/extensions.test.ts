/** Extensions of the SDK: skills of `src/skills/`, and methods that a declaration adds, in both eras. */

import { SKILLS_EXTENSION_ID } from '@modelcontextprotocol/server/ext/skills'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { discover } from '../../src/engine/discover.ts'
import type { ServerExtension } from '../../src/engine/extensions.ts'
import { moduleOf, toolFile, writeCatalog } from '../engine/catalog.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { connectClient, ERAS } from '../support/clients.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { redisMissing } from '../support/redis-suite.ts'
import {
  connect,
  INITIALIZE,
  post,
  postModern,
  read,
  request,
  sendRequest,
} from '../support/wire.ts'

const SKILL = `---
name: triage
description: How to triage a ticket.
---
Read [the guide](references/guide.md) first.
`
const FILES = {
  'tools/greet.ts': toolFile(),
  'skills/triage/SKILL.md': SKILL,
  'skills/triage/references/guide.md': '# Guide\n',
}

/** A method with three arguments for its handler, a failing one, and a capability. */
const dummy: ServerExtension = {
  attach({ server }) {
    const params = z.object({ text: z.string() })
    server.setRequestHandler(
      'example/shout',
      { params, result: z.object({ text: z.string() }) },
      async ({ text }) => ({ text: text.toUpperCase() }),
    )
    server.setRequestHandler('example/fail', { params: z.object({}) }, () => {
      throw new Error('a secret path /etc/acme')
    })
    server.registerCapabilities({ experimental: { 'example.com/shout': {} } })
  },
}

const options = { server: { extensions: [dummy] } }
const nodes: TestApp[] = []
let redis: RedisServer | undefined
beforeAll(async () => {
  redis = redisMissing('plain') === undefined ? await startRedis('plain') : undefined
  const env = redis === undefined ? {} : { REDIS_URL: redis.url }
  const catalogDirectory = writeCatalog(FILES)
  for (let count = 0; count < (redis === undefined ? 1 : 2); count += 1) {
    nodes.push(await startApp({ ...options, catalogDirectory, env }))
  }
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis?.stop()
})

const first = () => nodes[0] ?? expect.fail('not started')
const last = () => nodes.at(-1) ?? expect.fail('not started')

describe.each(ERAS)('in %s', (era) => {
  /** Sends to the last node; an MCP session of the older era is opened at the first. */
  async function sendAcross(method: string, params: Record<string, unknown> = {}) {
    if (era === '2026-07-28') return read(postModern(last().url, method, params))
    return read(post(last().url, request(method, params), await connect(first().url)))
  }

  test('skills are listed, got and read, on any node', async () => {
    const listed = await sendAcross('skills/list')
    expect(listed.message.result).toMatchObject({
      skills: [{ frontmatter: { name: 'triage', description: 'How to triage a ticket.' } }],
    })
    const got = await sendAcross('skills/get', { uri: 'skill://triage/SKILL.md' })
    expect(JSON.stringify(got.message.result)).toContain('references/guide.md')
    for (const [uri, text] of [
      ['skill://triage/SKILL.md', SKILL],
      ['skill://triage/references/guide.md', '# Guide\n'],
    ]) {
      const { message } = await sendAcross('resources/read', { uri })
      expect(message.result).toMatchObject({ contents: [{ uri, text }] })
    }
  })

  test('an unknown skill is refused with an explanation, and no other file is read', async () => {
    const odd = await sendAcross('skills/get', { uri: 5 })
    expect(odd.message.error).toMatchObject({ code: -32602 })
    const outside = await sendAcross('resources/read', {
      uri: 'skill://triage/../../tools/greet.ts',
    })
    expect(outside.message.error).toBeDefined()
    expect(outside.text).not.toContain('defineTool')
  })

  test('a method of an extension has its parameters checked, and its failures hidden', async () => {
    const good = await sendAcross('example/shout', { text: 'hi' })
    expect(good.message.result).toMatchObject({ text: 'HI' })
    const bad = await sendAcross('example/shout', { text: 5 })
    expect(bad.message.error).toMatchObject({ code: -32602 })
    const failing = await sendAcross('example/fail')
    expect(failing.message.error).toMatchObject({ message: 'Something went wrong.' })
    expect(failing.text).not.toContain('acme')
  })

  test('the capabilities are announced', async () => {
    const { client } = await connectClient(first().url, era)
    const capabilities = client.getServerCapabilities()
    expect(capabilities).toMatchObject({
      extensions: { [SKILLS_EXTENSION_ID]: {} },
      experimental: { 'example.com/shout': {} },
      resources: {},
    })
    await client.close()
  })

  test('a server without them has neither methods nor capabilities', async () => {
    const plain = await startApp({
      catalogDirectory: writeCatalog({ 'tools/greet.ts': toolFile() }),
    })
    const { message } = await sendRequest(plain.url, era, 'skills/list')
    expect(message.error?.code).toBe(-32601)
    const initialized = await read(post(plain.url, INITIALIZE))
    expect(initialized.message.result?.capabilities).not.toHaveProperty('extensions')
    await plain.stop()
  })
})

describe('an invalid skill prevents the start, with its file named', () => {
  test.each([
    ['without frontmatter', { 'skills/triage/SKILL.md': 'Read.' }, /skills\/triage\/SKILL\.md: /],
    [
      'with another name than its folder',
      { 'skills/other/SKILL.md': SKILL },
      /skills\/other\/SKILL\.md: /,
    ],
    ['in a folder without SKILL.md', { 'skills/triage/guide.md': '# Guide' }, /skills: no folder/],
  ])('%s', async (_what, files, fault) => {
    const folder = writeCatalog({
      'tools/greet.ts': toolFile(),
      'tools/bad.ts': moduleOf(''),
      ...(files as Record<string, string>),
    })
    await expect(discover(folder)).rejects.toThrow(fault)
    await expect(discover(folder)).rejects.toThrow('tools/bad.ts')
  })
})
