/** `/connect/…`: the page that asks for the code from the chat. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { structured } from '../support/clients.ts'
import { expectPageParts } from '../support/page-parts.ts'
import {
  callWith,
  login,
  newBrowser,
  sessionState,
  signInAs,
  submitCode,
  WRONG_CODE,
} from '../support/sign-in.ts'
import { envelope, post, read, request } from '../support/wire.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

describe('the page', () => {
  test('can be opened repeatedly: previews do not consume the link', async () => {
    const link = await login(app.url)
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET', 'GET', 'GET']) {
      expect((await fetch(link.url, { method })).status).toBe(200)
    }
    const page = await signInAs(newBrowser(), link)
    expect(page.text).toContain('Login successful')
    expect(await sessionState(app.url, link.session)).toBe('authenticated')
  })

  test('reports an expired link after the end of the session, before any code', async () => {
    const link = await login(app.url)
    await callWith(app.url, link.session, 'logout')
    for (const form of [undefined, { code: link.code }]) {
      const { status, text } = await newBrowser().open(link.url, form)
      expect([status, text.includes('This link has expired or was already used')]).toEqual([
        410,
        true,
      ])
    }
  })

  test('has a title, a heading, its buttons and times in words', async () => {
    const link = await login(app.url)
    const page = await newBrowser().open(link.url)
    expectPageParts(page, { heading: 'Sign in', buttons: ['Continue to sign in'] })
    expect(page.text).toMatch(
      /<dt>Requested<\/dt><dd><time datetime="[^"]+Z" title="[^"]+ GMT">just now<\/time>/,
    )
    expect(page.text).toMatch(/<dt>Link expires<\/dt><dd><time [^>]+>in \d+ minutes<\/time>/)
    const gone = await newBrowser().open(`${app.url}/connect/lnk_nothing`)
    const heading = 'This link has expired or was already used'
    expectPageParts(gone, { heading, buttons: [] })
    expect(gone.text).toContain('call\n    <code>login</code> again')
  })

  test('shows the client, the time of the request and the target, and not the code', async () => {
    const link = await login(app.url)
    const { text, headers } = await newBrowser().open(link.url)
    expect(text).toContain('by hand')
    expect(text).toContain('localhost')
    expect(text).toMatch(/GMT/)
    expect(text).not.toContain(link.code)
    expect(text).not.toContain(link.session)
    expect(headers.getSetCookie()).toEqual([])
  })

  test('prevents scripts, framing, caching and sniffing', async () => {
    const link = await login(app.url)
    const pages = [
      await newBrowser().open(link.url),
      await newBrowser().open(link.url, { code: WRONG_CODE }),
      await newBrowser().open(`${app.url}/connect/lnk_nothing`),
      await newBrowser().open(`${app.url}/callback?state=x`),
    ]
    for (const { headers, text } of pages) {
      const policy = headers.get('content-security-policy') ?? ''
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).toContain("base-uri 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('content-type')).toMatch(/^text\/html; charset=utf-8$/i)
      expect(text).not.toMatch(/<script|https?:\/\/(?!localhost)[^"]*"/)
    }
  })

  test.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</strong></p></main><form action="https://evil.com">',
    '&lt;b&gt; &amp; {{7*7}} <%= 7*7 %>',
  ])('escapes the client name %s', async (name) => {
    const _meta = { ...envelope(), 'io.modelcontextprotocol/clientInfo': { name, version: '1' } }
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'login',
    }
    const call = request('tools/call', { name: 'login', _meta })
    const { message } = await read(post(app.url, call, headers))
    const link = structured<{ url: string; code: string }>(message.result ?? {})
    const pages = [
      await newBrowser().open(link.url),
      await newBrowser().open(link.url, { code: WRONG_CODE }),
      await signInAs(newBrowser(), link),
    ]
    for (const { text } of pages) {
      expect(text).not.toContain(name)
      expect(text).not.toMatch(/<script|<img|onmouseover='|evil\.com">|>49</)
      expect(text).toMatch(/&(lt|quot|#39|amp);/)
    }
  })

  test('truncates the name of a client', async () => {
    const name = 'x'.repeat(5000)
    const _meta = { ...envelope(), 'io.modelcontextprotocol/clientInfo': { name, version: '1' } }
    const answer = await read(
      post(app.url, request('tools/call', { name: 'login', _meta }), {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'login',
      }),
    )
    const { url } = structured<{ url: string }>(answer.message.result ?? {})
    const { text } = await newBrowser().open(url)
    expect(text).not.toContain('x'.repeat(101))
  })
})

describe('a form', () => {
  test('from another site is refused', async () => {
    const { url, code } = await login(app.url)
    for (const origin of ['https://evil.com', 'null']) {
      expect((await submitCode(url, code, { origin })).status).toBe(403)
    }
    expect((await submitCode(url, code, { origin: app.url })).status).toBe(303)
  })

  test('that is too long is 413', async () => {
    const { url, code } = await login(app.url)
    expect((await submitCode(url, 'x'.repeat(5000))).status).toBe(413)
    expect((await submitCode(url, code)).status).toBe(303)
  })

  test.each([
    ['text/plain', 'code=x'],
    ['application/json', '{"code":"x"}'],
    ['multipart/form-data', 'no boundary'],
    ['multipart/form-data; boundary=x', 'no part'],
    ['', 'code=x'],
  ])('sent as "%s" is 415, and uses up no attempt', async (type, body) => {
    const link = await login(app.url)
    const response = await fetch(link.url, {
      method: 'POST',
      headers: type === '' ? {} : { 'content-type': type },
      body: new TextEncoder().encode(body),
    })
    expect(response.status).toBe(415)
    expect(await (await submitCode(link.url, WRONG_CODE)).text()).toContain('Tries left: 4.')
  })
})
