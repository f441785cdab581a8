/** The API client without faults: its requests and its results. */

import { expect, test } from 'vitest'
import { failure, setUp, tokens } from './api-client-setup.ts'
import { json } from './misbehaving-server.ts'

test('sends token, key and agent, and returns the parsed JSON', async () => {
  const { api, server } = await setUp(json({ balance: 12 }), { apiKey: 'secret-key' })
  expect(await api.get('/accounts/{id}', { id: 'me', page: 2 })).toEqual({ balance: 12 })
  expect(server.seen[0]).toMatchObject({ method: 'GET', url: '/accounts/me?page=2' })
  expect(server.seen[0]?.headers).toMatchObject({
    authorization: 'Bearer secret-token',
    'x-api-key': 'secret-key',
    'user-agent': 'test/1',
    'accept-encoding': 'identity',
    accept: 'application/json',
  })
})

test('sends a body as JSON, with the idempotency key', async () => {
  const { api, server } = await setUp(json({ ok: true }))
  const options = { body: { amount: 5 }, idempotencyKey: 'k1', headers: { 'X-Trace': 't' } }
  await api.post('/payments', {}, options)
  expect(server.seen[0]).toMatchObject({ method: 'POST', body: '{"amount":5}' })
  expect(server.seen[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'k1',
    'x-trace': 't',
  })
})

test('calls put, patch and delete by their methods', async () => {
  const { api, server } = await setUp(json(null))
  await api.put('/a')
  await api.patch('/a', undefined, { body: null })
  await api.delete('/a')
  expect(server.seen.map((each) => each.method)).toEqual(['PUT', 'PATCH', 'DELETE'])
  expect(server.seen[1]?.body).toBe('null')
})

test('sends the API key in the configured header', async () => {
  const { api, server } = await setUp(json(1), { apiKey: 'secret-key', apiKeyHeader: 'Ocp-Key' })
  await api.get('/a')
  expect(server.seen[0]?.headers).toMatchObject({ 'ocp-key': 'secret-key' })
})

test('sends no authorization when the caller has no token', async () => {
  const { client, server } = await setUp(json(1))
  await client.forCaller(tokens()).get('/a')
  expect(server.seen[0]?.headers.authorization).toBeUndefined()
})

test('returns undefined for a response without content', async () => {
  const { api } = await setUp((res) => res.writeHead(204).end())
  expect(await api.delete('/a')).toBeUndefined()
})

test('reads +json types with parameters', async () => {
  const answer = json({ a: 1 }, 200, { 'content-type': 'application/vnd.bank+json; charset=utf-8' })
  const { api } = await setUp(answer)
  expect(await api.get('/a')).toEqual({ a: 1 })
})

test.each(['Authorization', 'host', 'X-API-Key', 'cookie', 'transfer-encoding'])(
  'does not permit a tool to set %s',
  async (name) => {
    const { api, server } = await setUp(json(1))
    await expect(api.get('/a', {}, { headers: { [name]: 'x' } })).rejects.toThrow(TypeError)
    expect(server.seen).toHaveLength(0)
  },
)

test('passes errors of the token source through unchanged', async () => {
  const { client, server } = await setUp(json(1))
  const signIn = new Error('sign in first')
  const api = client.forCaller({ accessToken: () => Promise.reject(signIn) })
  await expect(api.get('/a')).rejects.toBe(signIn)
  expect(server.seen).toHaveLength(0)
})

test.each([
  [400, 'upstream_rejected'],
  [403, 'upstream_rejected'],
  [404, 'upstream_not_found'],
  [409, 'upstream_rejected'],
  [500, 'upstream_failed'],
  [501, 'upstream_failed'],
])('a %i response is %s, after one request, without its body', async (status, code) => {
  const { api, server } = await setUp(json({ detail: 'canary-body' }, status))
  const error = await failure(api.get('/a', { q: 'canary-query' }))
  expect(error).toMatchObject({ code, status })
  expect(JSON.stringify([error.message, error.stack, error])).not.toMatch(/canary|secret/)
  expect(server.seen).toHaveLength(1)
})
