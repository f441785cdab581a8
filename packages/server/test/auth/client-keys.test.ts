/** Keys at a client's `jwks_uri`: fetching, caching and selection. */

import { afterEach, describe, expect, test } from 'vitest'
import { createClientKeys } from '../../src/auth/client-keys.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts'

const open: HttpsServer[] = []
afterEach(() => Promise.all(open.splice(0).map((host) => host.close())))

const x = 'A'.repeat(43)
const key = (kid: string) => ({ kty: 'EC', crv: 'P-256', kid, x, y: x })

async function setUp(first: unknown) {
  let body = first
  const host = await startHttpsServer((res) => {
    res.writeHead(body === undefined ? 500 : 200).end(JSON.stringify(body))
  })
  open.push(host)
  let time = 1_800_000_000_000
  const now = () => time
  const guard = {
    ...{ allowLoopback: true, ca: host.ca, timeoutMs: 3000 },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  }
  const store = createMemoryStore({ now })
  const make = () => createClientKeys({ store, now }, guard)
  const address = `${host.origin}/jwks.json`
  return {
    ...{ host, make, address },
    read: async (kid?: string) =>
      (await make().keysAt(address, kid)).keys.map((each) => String(each.kid)),
    serve(next: unknown) {
      body = next
    },
    pass(seconds: number) {
      time += seconds * 1000
    },
  }
}

describe('keys', () => {
  test('are shared by all nodes, and read again after ten minutes', async () => {
    const { read, host, pass } = await setUp({ keys: [key('a')] })
    expect([await read('a'), await read('a'), await read()]).toEqual([['a'], ['a'], ['a']])
    expect(host.seen).toHaveLength(1)
    pass(601)
    await read('a')
    expect(host.seen).toHaveLength(2)
  })

  test('that are replaced are found after a minute', async () => {
    const { read, host, serve, pass } = await setUp({ keys: [key('a')] })
    await read('a')
    serve({ keys: [key('b')] })
    expect(await read('b')).toEqual(['a'])
    pass(61)
    expect([await read('b'), await read('c')]).toEqual([['b'], ['b']])
    expect(host.seen).toHaveLength(2)
  })

  test('stay in use for an hour while their host is unavailable', async () => {
    const { read, host, serve, pass } = await setUp({ keys: [key('a')] })
    await read('a')
    serve(undefined)
    pass(3500)
    expect([await read('a'), await read('a')]).toEqual([['a'], ['a']])
    expect(host.seen).toHaveLength(2)
    pass(101)
    await expect(read('a')).rejects.toMatchObject({ code: 'unavailable', status: 503 })
    serve({ keys: [key('b')] })
    pass(6)
    expect(await read('b')).toEqual(['b'])
  })

  test.each([['no JSON'], [{}], [{ keys: 'a' }], [null]])('are not in %j', async (body) => {
    const { read, host } = await setUp(body)
    await expect(read('a')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(read('a')).rejects.toMatchObject({ code: 'unavailable' })
    expect(host.seen).toHaveLength(1)
  })

  test('must be public, for signatures, and of a sufficient size', async () => {
    const rsa = { kty: 'RSA', kid: 'short', n: 'A'.repeat(171), e: 'AQAB' }
    const { read } = await setUp({
      keys: [
        { ...key('private'), d: x },
        { kty: 'oct', kid: 'secret', k: x },
        { ...key('encrypts'), use: 'enc' },
        { ...key('wraps'), key_ops: ['wrapKey'] },
        rsa,
        { ...rsa, kid: 'long', n: 'A'.repeat(2000) },
        { ...rsa, kid: 'slow', n: 'A'.repeat(342), e: 'A'.repeat(342) },
        { ...rsa, kid: 'good', n: 'A'.repeat(342) },
        'text',
        key('too'),
      ],
    })
    expect(await read()).toEqual(['good', 'too'])
  })

  test('of thousands of addresses at one host are fetched 60 times a minute', async () => {
    const { make, host } = await setUp({ keys: [key('a')] })
    const outcomes = []
    for (let turn = 0; turn < 65; turn += 1) {
      const reading = make().keysAt(`${host.origin}/${turn}`, 'a')
      outcomes.push(
        await reading.then(
          () => 'read',
          (error) => error.code,
        ),
      )
    }
    expect(host.seen).toHaveLength(60)
    expect(outcomes.slice(60)).toEqual(Array(5).fill('unavailable'))
  })
})
