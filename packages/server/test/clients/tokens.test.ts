/** Tokens of connected clients: refresh and step-up authorization. */

import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import { AUTHORIZED_CLIENTS, v1AtMcp } from '../support/authorized-clients.ts'
import { errorCode, structured } from '../support/clients.ts'
import { postForm } from '../support/oauth-client.ts'
import { createPerson } from '../support/oauth-person.ts'
import { closing, startGuarded } from './apps.ts'

interface Shown {
  readonly connectedAt: string
}

const LESS = { env: { OAUTH_DEFAULT_SCOPES: 'mcp' } }

describe.each(AUTHORIZED_CLIENTS)('$label', ({ connect }) => {
  test('refreshes a revoked token, and continues its session', async () => {
    const { url } = await startGuarded()
    const person = createPerson()
    const client = closing(await connect(url, person))
    const before = structured<Shown>(await client.call('session'))
    const { access_token: token = '' } = person.memory.tokens ?? {}
    const { client_id } = person.memory.client ?? {}
    expect(await postForm(`${url}/revoke`, { token, client_id })).toMatchObject({ status: 200 })
    expect(structured(await client.call('session'))).toMatchObject({
      connectedAt: before.connectedAt,
    })
    expect(person.memory.tokens?.access_token).not.toBe(token)
    expect(person.sentTo).toHaveLength(1)
  })

  test('refreshes an expired token', async () => {
    let now = Date.now()
    const store = createMemoryStore({ now: () => now })
    const { url } = await startGuarded({ store, env: { ACCESS_TOKEN_TTL: '600' } })
    const person = createPerson()
    const client = closing(await connect(url, person))
    const { refresh_token: before } = person.memory.tokens ?? {}
    now += 601_000
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(person.memory.tokens?.refresh_token).not.toBe(before)
    expect(person.sentTo).toHaveLength(1)
  })
})

describe.each(AUTHORIZED_CLIENTS.filter(({ stepsUp }) => stepsUp))('$label', ({ connect }) => {
  test('requests the scope that a tool needs (step-up)', async () => {
    const { url } = await startGuarded(LESS)
    const person = createPerson()
    const client = closing(await connect(url, person))
    expect(person.memory.tokens).toMatchObject({ scope: 'mcp' })
    expect(errorCode(await client.call('service'))).toBe('login_required')
    expect(person.memory.tokens).toMatchObject({ scope: 'mcp service:read' })
    expect(person.sentTo).toHaveLength(2)
  })
})

describe.each(AUTHORIZED_CLIENTS.filter(({ stepsUp }) => !stepsUp))('$label', ({ connect }) => {
  test('gets the missing scope', async () => {
    const { url } = await startGuarded(LESS)
    const person = createPerson()
    const client = closing(await connect(url, person))
    await expect(client.call('service')).rejects.toThrow('403')
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
  })
})

test('a v1 client steps up if it has no refresh token to try first', async () => {
  const { url } = await startGuarded(LESS)
  const person = createPerson({ metadata: { grant_types: ['authorization_code'] } })
  const client = closing(await v1AtMcp.connect(url, person))
  expect(person.memory.tokens).not.toHaveProperty('refresh_token')
  expect(errorCode(await client.call('service'))).toBe('login_required')
  expect(person.memory.tokens).toMatchObject({ scope: 'mcp service:read' })
})
