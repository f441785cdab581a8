/** SSRF by the URL of a client's metadata document: only public hosts are connected to. */

import { createServer, type Socket } from 'node:net'
import { EnvHttpProxyAgent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createDocumentFetch, type DocumentFetch } from '../../src/auth/document-fetch.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { isPublicAddress } from '../../src/upstream/public-address.ts'
import { type HttpsServer, startHttpsServer } from '../support/https-server.ts'

let trap: HttpsServer
beforeAll(async () => {
  trap = await startHttpsServer((res) => res.end('{}'))
})
afterAll(() => trap.close())
afterEach(() => expect(trap.connections()).toBe(0))

type Address = { readonly address: string; readonly family: number }
const resolvesTo = (...addresses: Address[]) => ({ resolve: async () => addresses })
const v4 = (address: string) => ({ address, family: 4 })
const v6 = (address: string) => ({ address, family: 6 })

function guarded(given: { resolve?: (host: string) => Promise<Address[]>; timeoutMs?: number }) {
  const { timeoutMs = 3000, ...deps } = given
  return createDocumentFetch({ store: createMemoryStore(), now: Date.now, ...deps }, { timeoutMs })
}

async function refusal(documents: DocumentFetch, url: string): Promise<string> {
  await documents.allowFetch({}, url)
  const outcome = await documents.fetch(url).then(String, (error: Error) => error.message)
  return outcome
}

const NOT_PUBLIC = `
  0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
  172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1
  203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
  :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254
  ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b:1::a00:1 100::1 2001::1 2001:db8::1 2002:7f00:1::
  2002:a00:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1
`
  .trim()
  .split(/\s+/)

describe('addresses', () => {
  it.each(NOT_PUBLIC)('%s is not public', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:1.1.1.1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  it('that are malformed are refused', () => {
    for (const text of ['', 'localhost', '1.1.1.1.1', '1.1.1.1/8', 'fe80::1%eth0%']) {
      expect(isPublicAddress(text)).toBe(false)
    }
  })

  it('of the loopback network are permitted in development only, and no others', () => {
    expect(
      ['127.0.0.1', '::1', '::ffff:127.0.0.1'].every((one) => isPublicAddress(one, true)),
    ).toBe(true)
    expect(
      ['10.0.0.1', '169.254.169.254', '0.0.0.0'].some((one) => isPublicAddress(one, true)),
    ).toBe(false)
  })
})

describe('a client_id with an internal address', () => {
  it.each(NOT_PUBLIC)('is not connected to as a literal: %s', async (address) => {
    const host = address.includes(':') ? `[${address}]` : address
    expect(await refusal(guarded({}), `https://${host}/`)).toMatch(/public internet/)
  })

  it.each([
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://[::ffff:127.0.0.1]/',
    'https://[0:0:0:0:0:ffff:7f00:1]/',
  ])('is not connected to in another spelling: %s', async (url) => {
    expect(await refusal(guarded({}), url)).toMatch(/public internet/)
  })

  it.each(NOT_PUBLIC)('is not connected to by a name: %s', async (address) => {
    const found = address.includes(':') ? v6(address) : v4(address)
    const documents = guarded(resolvesTo(found))
    expect(await refusal(documents, 'https://client.example/')).toMatch(/public internet/)
  })

  it('is refused if one of several addresses is internal', async () => {
    const documents = guarded(resolvesTo(v4('1.1.1.1'), v4('127.0.0.1')))
    expect(await refusal(documents, 'https://client.example/')).toMatch(/public internet/)
  })

  it('is refused by the name of the machine, as the system resolves it', async () => {
    expect(await refusal(guarded({}), 'https://localhost/')).toMatch(/public internet/)
  })

  it('is refused on another port, in plain text, with credentials and in other schemes', async () => {
    const documents = guarded(resolvesTo(v4('1.1.1.1')))
    for (const url of [
      `https://client.example:${trap.port}/`,
      'http://client.example/',
      'https://user@client.example/',
      'file:///etc/passwd',
      'data:application/json,{}',
    ]) {
      expect(await refusal(documents, url), url).toMatch(/^(Only|Credentials)/)
    }
  })
})

describe('a name that resolves differently later (DNS rebinding)', () => {
  it('is resolved once for each connection, which uses the checked address', async () => {
    const hosts: string[] = []
    const answers = [[v4('127.0.0.1')], [v4('10.0.0.1')]]
    const server = await startHttpsServer((res, { url, headers }) =>
      res.end(JSON.stringify({ client_id: `https://${headers.host}${url}` })),
    )
    const resolve = async (host: string) => {
      hosts.push(host)
      return answers[Math.min(hosts.length, answers.length) - 1] ?? []
    }
    const documents = createDocumentFetch(
      { store: createMemoryStore(), now: Date.now, resolve },
      { allowLoopback: true, ca: server.ca },
    )
    const url = `https://rebinding.example.com:${server.port}/client.json`
    await documents.allowFetch({}, url)
    expect((await documents.fetch(url)).status).toBe(200)
    expect(hosts).toEqual(['rebinding.example.com'])
    expect(server.connections()).toBe(1)

    expect(await refusal(documents, `${url}?again`)).toMatch(/public internet/)
    expect(server.connections()).toBe(1)
    await server.close()
  })
})

describe('a proxy of the environment', () => {
  it('does not replace the checked connection', async () => {
    let connections = 0
    const sockets = new Set<Socket>()
    const proxy = createServer((socket) => {
      connections += 1
      sockets.add(socket)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as { port: number }
    const before = getGlobalDispatcher()
    setGlobalDispatcher(new EnvHttpProxyAgent({ httpsProxy: `http://127.0.0.1:${port}` }))
    try {
      const documents = guarded(resolvesTo(v4('10.0.0.1')))
      expect(await refusal(documents, 'https://client.example/')).toMatch(/public internet/)
      expect(connections).toBe(0)
    } finally {
      setGlobalDispatcher(before)
      for (const socket of sockets) socket.destroy()
      proxy.close()
    }
  })
})

describe('a host that exhausts resources', () => {
  /** Fetches from a server that is reachable, within a short time. */
  async function from(answer: Parameters<typeof startHttpsServer>[0], timeoutMs = 3000) {
    const server = await startHttpsServer(answer)
    const documents = createDocumentFetch(
      { store: createMemoryStore(), now: Date.now },
      { allowLoopback: true, ca: server.ca, timeoutMs },
    )
    const outcome = await refusal(documents, `${server.origin}/client.json`)
    const { seen } = server
    await server.close()
    return { outcome, seen }
  }

  it('by redirects, is not followed', async () => {
    const location = `https://localhost:${trap.port}/`
    const { outcome, seen } = await from((res) => res.writeHead(302, { location }).end())
    expect(outcome).toBe('[object Response]')
    expect(seen).toHaveLength(1)
  })

  it('by silence, is aborted', async () => {
    expect((await from(() => undefined, 100)).outcome).toMatch(/timeout|aborted/i)
  })

  it('by trickling, is aborted', async () => {
    const { outcome } = await from((res) => {
      const drip = setInterval(() => res.write(' '), 10)
      res.on('close', () => clearInterval(drip))
    }, 200)
    expect(outcome).toMatch(/timeout|aborted/i)
  })

  it('by a resolver that never answers, is aborted', async () => {
    const documents = guarded({ resolve: () => new Promise(() => undefined), timeoutMs: 100 })
    expect(await refusal(documents, 'https://client.example/')).toMatch(/timeout|aborted/i)
  })

  it('by a resolver that answers too late, is not connected to', async () => {
    let answer: (found: Address[]) => void = () => undefined
    const late = new Promise<Address[]>((resolve) => {
      answer = resolve
    })
    const documents = createDocumentFetch(
      { store: createMemoryStore(), now: Date.now, resolve: () => late },
      { allowLoopback: true, timeoutMs: 50 },
    )
    const url = `https://client.example:${trap.port}/`
    expect(await refusal(documents, url)).toMatch(/timeout|aborted/i)
    answer([v4('127.0.0.1')])
    await new Promise((resolve) => setTimeout(resolve, 50))
  })

  it('by an endless response, is aborted at 5 KB', async () => {
    let sent = 0
    const { outcome } = await from((res) => {
      const chunk = Buffer.alloc(64 * 1024, ' ')
      const more = () => {
        sent += chunk.length
        if (!res.destroyed) res.write(chunk, () => setImmediate(more))
      }
      more()
    })
    expect(outcome).toMatch(/too large/)
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })
})
