/** Retries and the single token refresh: what is repeated, how often, and when it fails. */

import { describe, expect, test } from 'vitest'
import { failure, setUp, tokens } from './api-client-setup.ts'
import { type Answer, inTurn, json } from './misbehaving-server.ts'

const unavailable = json({}, 503)
const unauthorized = json({}, 401)

describe('retries', () => {
  test('a GET answered 503 twice succeeds at the third attempt', async () => {
    const { api, server, waits } = await setUp(inTurn(unavailable, unavailable, json({ ok: 1 })))
    expect(await api.get('/a')).toEqual({ ok: 1 })
    expect(server.seen).toHaveLength(3)
    expect(waits).toEqual([200, 400])
  })

  test('no request is sent more than three times', async () => {
    const { api, server } = await setUp(unavailable)
    expect(await failure(api.put('/a'))).toMatchObject({ code: 'upstream_failed', status: 503 })
    expect(server.seen).toHaveLength(3)
  })

  test.each([429, 502, 503, 504])('a POST answered %i is never repeated', async (status) => {
    const { api, server } = await setUp(json({}, status))
    await failure(api.post('/a', {}, { body: {} }))
    expect(server.seen).toHaveLength(1)
  })

  test('a POST is not repeated when the connection breaks', async () => {
    const { api, server } = await setUp((res) => res.destroy())
    const error = await failure(api.post('/a'))
    expect(error.code).toBe('upstream_unreachable')
    expect(server.seen).toHaveLength(1)
  })

  test('a POST with an idempotency key is repeated, with the same key', async () => {
    const { api, server } = await setUp(inTurn(unavailable, json({ ok: 1 })))
    await api.post('/a', {}, { body: { n: 1 }, idempotencyKey: 'k' })
    expect(server.seen.map((each) => each.headers['idempotency-key'])).toEqual(['k', 'k'])
    expect(server.seen.map((each) => each.body)).toEqual(['{"n":1}', '{"n":1}'])
  })

  test('a GET is repeated when the connection breaks', async () => {
    const { api, server } = await setUp(inTurn((res) => res.destroy(), json(1)))
    expect(await api.get('/a')).toBe(1)
    expect(server.seen).toHaveLength(2)
  })

  test('a refused connection is upstream_unreachable', async () => {
    const { api, server } = await setUp(json(1))
    await server.close()
    const error = await failure(api.get('/a'))
    expect(error).toMatchObject({ code: 'upstream_unreachable', reason: 'ECONNREFUSED' })
  })
})

describe('Retry-After', () => {
  const limited = (value: string): Answer => json({}, 429, { 'retry-after': value })

  test('is waited for if there is time, and the request is repeated once', async () => {
    const { api, server, waits } = await setUp(inTurn(limited('2'), json(1)))
    expect(await api.get('/a')).toBe(1)
    expect(waits).toEqual([2000])
    expect(server.seen).toHaveLength(2)
  })

  test('is understood as a date', async () => {
    const soon = new Date(Date.now() + 4000).toUTCString()
    const { api, waits } = await setUp(inTurn(limited(soon), json(1)))
    await api.get('/a')
    expect(waits[0]).toBeGreaterThan(2000)
    expect(waits[0]).toBeLessThanOrEqual(4000)
  })

  test('beyond the deadline ends the call at once and is passed on', async () => {
    const { api, server, waits } = await setUp(limited('60'))
    const error = await failure(api.get('/a'))
    expect(error).toMatchObject({ code: 'upstream_rate_limited', retryAfterSeconds: 60 })
    expect(server.seen).toHaveLength(1)
    expect(waits).toEqual([])
  })

  test.each(['soon', '-5', '1e9', ''])('%j is ignored', async (value) => {
    const { api, waits } = await setUp(inTurn(limited(value), json(1)))
    await api.get('/a')
    expect(waits).toEqual([200])
  })
})

describe('a refused token', () => {
  test('is refreshed once, and the request repeated, POST included', async () => {
    const { client, server } = await setUp(inTurn(unauthorized, json({ ok: 1 })))
    const source = tokens('old', 'new')
    expect(await client.forCaller(source).post('/a', {}, { body: 1 })).toEqual({ ok: 1 })
    expect(server.seen.map((each) => each.headers.authorization)).toEqual([
      'Bearer old',
      'Bearer new',
    ])
    expect(source.requested.map((each) => each.forceRefresh ?? false)).toEqual([false, true])
  })

  test('that is refused again after the refresh ends the call', async () => {
    const { client, server } = await setUp(unauthorized)
    const source = tokens('old', 'new', 'newer')
    const error = await failure(client.forCaller(source).get('/a'))
    expect(error).toMatchObject({ code: 'upstream_unauthorized', status: 401 })
    expect(server.seen).toHaveLength(2)
    expect(source.requested).toHaveLength(2)
  })

  test('keeps the refreshed token in a retry', async () => {
    const { client, server } = await setUp(inTurn(unauthorized, unavailable, json(1)))
    const source = tokens('old', 'new')
    expect(await client.forCaller(source).get('/a')).toBe(1)
    expect(server.seen.map((each) => each.headers.authorization)).toEqual([
      'Bearer old',
      'Bearer new',
      'Bearer new',
    ])
  })

  test('is not repeated if there is no fresh one', async () => {
    const { client, server } = await setUp(unauthorized)
    const error = await failure(client.forCaller(tokens('old')).get('/a'))
    expect(error.code).toBe('upstream_unauthorized')
    expect(server.seen).toHaveLength(1)
  })

  test('is not requested if the caller had none', async () => {
    const { client } = await setUp(unauthorized)
    const source = tokens()
    expect((await failure(client.forCaller(source).get('/a'))).code).toBe('upstream_unauthorized')
    expect(source.requested).toHaveLength(1)
  })

  test('whose refresh fails ends in the error of the token source', async () => {
    const { client } = await setUp(unauthorized)
    const gone = new Error('sign in again')
    const api = client.forCaller({
      accessToken: async (options) => {
        if (options?.forceRefresh) throw gone
        return 'old'
      },
    })
    await expect(api.get('/a')).rejects.toBe(gone)
  })
})
