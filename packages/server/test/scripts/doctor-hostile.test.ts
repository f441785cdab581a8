/** `npm run doctor` on malicious servers. */

import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { openStream } from '../../../doctor/src/held-stream.ts'
import { ask, freshFetch } from '../../../doctor/src/http.ts'
import { fetchWithinReach, isWithinReach } from '../../../doctor/src/reach.ts'
import { asJson, createTextReport } from '../../../doctor/src/report.ts'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { examineServer, runDoctor, withVerdict } from '../support/doctor.ts'

const closing: (() => void)[] = []
afterAll(() => {
  for (const close of closing) close()
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Writes these bytes in response to any request. */
function startRaw(answer: string): Promise<string> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end(answer))
    }),
  )
}

type Pages = Readonly<Record<string, (response: ServerResponse, url: string) => void>>

/** Looks like this server at `/mcp`; the test determines the rest. */
async function startHostile(pages: Pages) {
  const requests: string[] = []
  let url = ''
  const answer: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '', url)
    requests.push(`${request.method} ${pathname}`)
    request.resume()
    const page = pages[pathname]
    if (page !== undefined) return page(response, url)
    response.writeHead(pathname === '/mcp' ? 401 : 404, { 'content-type': 'application/json' })
    response.end('{"error":"invalid_request"}')
  }
  url = await listen(createServer(answer))
  return { url, requests }
}

function json(make: (url: string) => object, status = 200) {
  return (response: ServerResponse, url: string) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(make(url)))
  }
}

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

function metadataOf(url: string) {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    registration_endpoint: `${url}/register`,
    code_challenge_methods_supported: ['S256'],
  }
}

/** Sends data without end. */
function flood(response: ServerResponse) {
  const more = () => {
    while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
  }
  response.on('drain', more)
  more()
}

async function wrongsAt(url: string): Promise<string> {
  return withVerdict(await examineServer(url, '--client', 'inspector'), 'wrong').join('\n')
}

describe.concurrent('a server that is hostile', () => {
  test('does not cause a redirect loop', async () => {
    const { url, requests } = await startHostile({
      [WELL_KNOWN]: json(metadataOf),
      '/register': json(() => ({ client_id: 'one' }), 201),
      '/token': json(() => ({ error: 'invalid_request' }), 400),
      '/authorize': (response) => response.writeHead(302, { location: '/authorize' }).end(),
    })
    await expect(createBrowser().open(`${url}/authorize`)).rejects.toThrow('redirects in a circle')
    expect(requests).toHaveLength(21)
    expect(await wrongsAt(url)).toMatch(/authorize: .*\/authorize redirects in a circle/)
  })

  test('does not fill the memory with a response', async () => {
    const { url } = await startHostile({ '/livez': flood })
    await expect(ask(`${url}/livez`)).rejects.toThrow('longer than 4 MB')
    expect(await wrongsAt(url)).toMatch(/health: .*an answer is longer than 4 MB/)
  })

  test('does not fill the memory with a stream', async () => {
    const { url } = await startHostile({
      '/sse': (response) => flood(response.writeHead(200, { 'content-type': 'text/event-stream' })),
    })
    const stream = await openStream(`${url}/sse`, { headers: {} }, 5000)
    await stream.hold(10_000)
    expect(stream.text.length).toBeLessThan(5_000_000)
    expect(String(stream.failure)).toContain('longer than 4 MB')
  })

  test.each(['999 Foo', '600 Bar', '101 Switching'])('does not end it with %s', async (status) => {
    const url = await startRaw(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`)
    const said = `no answer has the status ${parseInt(status, 10)}`
    await expect(freshFetch(url)).rejects.toThrow(said)
    expect(await wrongsAt(url)).toContain(said)
  })

  test('does not send escape sequences to the terminal', async () => {
    const evil = `\u001b]0;owned\u0007\u009b31m\u202e${'x'.repeat(100_000)}`
    const { url } = await startHostile({
      [WELL_KNOWN]: json((own) => ({ ...metadataOf(own), issuer: evil })),
    })
    for (const more of [[], ['--json']]) {
      const { out } = await runDoctor([url, '--client', 'inspector', '--hold', '1', ...more])
      expect(out).toContain(']0;owned')
      expect(out).not.toMatch(/[^\P{C}\n]/u)
      expect(out.length).toBeLessThan(30_000)
    }
  })

  test('does not determine where the doctor sends requests', async () => {
    const inside = await startHostile({})
    const { url, requests } = await startHostile({
      [WELL_KNOWN]: json((own) => ({ ...metadataOf(own), token_endpoint: `${inside.url}/token` })),
    })
    expect(await wrongsAt(url)).toContain(
      `server-metadata: Not at ${url}: token_endpoint ${inside.url}/token.`,
    )
    expect(inside.requests).toEqual([])
    expect(requests).not.toContain('GET /authorize')
  })

  test('does not break the examination with metadata of the wrong types', async () => {
    const { url } = await startHostile({
      [WELL_KNOWN]: json((own) => ({ ...metadataOf(own), code_challenge_methods_supported: 7 })),
    })
    expect(await wrongsAt(url)).toMatch(
      /server-metadata: .*code_challenge_methods_supported.*expected array/,
    )
  })
})

describe('a URL in a response', () => {
  const ON_THE_INTERNET = 'https://93.184.215.14'

  test.each([
    ['http://127.0.0.1:6379', ON_THE_INTERNET, false],
    ['http://[::ffff:127.0.0.1]', ON_THE_INTERNET, false],
    ['http://localhost', ON_THE_INTERNET, false],
    ['http://0.0.0.0', ON_THE_INTERNET, false],
    ['http://169.254.169.254', ON_THE_INTERNET, false],
    ['http://10.0.0.1', ON_THE_INTERNET, false],
    ['file:///etc/passwd', ON_THE_INTERNET, false],
    ['not an address', ON_THE_INTERNET, false],
    ['https://1.1.1.1', ON_THE_INTERNET, true],
    ['http://10.0.0.1', 'http://10.0.0.2', true],
    ['http://127.0.0.1', 'http://10.0.0.2', false],
    ['http://169.254.169.254', 'http://10.0.0.2', false],
    ['http://127.0.0.1:2', 'http://localhost:1', true],
  ])('%s of %s is requested: %s', async (named, base, isAsked) => {
    expect(await isWithinReach(named, base)).toBe(isAsked)
  })

  test('is not requested by a redirect either', async () => {
    const inside = await startHostile({})
    const send = fetchWithinReach(ON_THE_INTERNET)
    await expect(send(inside.url)).rejects.toThrow('inside the network')
    expect(inside.requests).toEqual([])
  })
})

test('a report has no control characters, and a bounded length', () => {
  let text = ''
  const out = { write: (more: string) => (text += more), isTTY: false } as never
  const findings = [
    { verdict: 'wrong', what: `\u001b[2J${'x'.repeat(5000)}`, mend: 'a\nb' },
  ] as const
  const report = { check: 'one', title: 'One', findings }
  createTextReport(out).check(report)
  for (const each of [text, asJson('http://a.example', [report])]) {
    expect(each).toContain('\ufffd[2Jxxx')
    expect(each).toContain('a\ufffdb')
    expect(each).not.toMatch(/[^\P{C}\n]/u)
    expect(each.length).toBeLessThan(1500)
  }
})
