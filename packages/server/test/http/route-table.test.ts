/** The route table: the consequences of each row. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Route, routesOf } from '../../src/http/routes.ts'
import { startApp, type TestApp } from '../support/app.ts'

const ALL_ON = {
  ...{ sse: true, direct: true, landingPage: true },
  ...{ metrics: true, traces: true, era2025: true },
}
const table = routesOf({
  serves: ALL_ON,
  servesMetrics: true,
  hasLogo: false,
  hasDemo: true,
  hasDemoApi: true,
  authorizesClients: true,
})
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const SECRET = 'ses_kQ3vT9zLxWm2'

let app: TestApp
beforeAll(async () => {
  app = await startApp()
})
afterAll(() => app.stop())

interface Line {
  readonly msg: string
  readonly method: string
  readonly route: string
}

/** A path of the route, with a secret as each parameter. */
const pathOf = ({ path }: Route) => path.replaceAll(/:\w+/g, SECRET)
const otherMethods = ({ methods }: Route) =>
  METHODS.filter((method) => !methods.some((each) => each === method))
const own = table.all.filter(({ isMount }) => !isMount)
const visible = own.filter(({ isHidden }) => !isHidden)

async function send(path: string, init: RequestInit) {
  const from = app.lines.length
  const response = await fetch(app.url + path, { redirect: 'manual', ...init })
  const text = await response.text()
  const logged = () =>
    app.lines
      .slice(from)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => msg === 'request')
      .map(({ method, route }) => `${method} ${route}`)
  return { response, text, logged, linesSince: () => app.lines.slice(from).join('') }
}

const isJsonRpc = (text: string) => JSON.parse(text).error.code === -32000

test.each(visible.map((route) => [route.path, route] as const))(
  '%s refuses other methods by 405 with Allow, in its format, under its label',
  async (_path, route) => {
    for (const method of otherMethods(route)) {
      const { response, text, logged } = await send(pathOf(route), { method })
      expect([method, response.status]).toEqual([method, 405])
      expect(response.headers.get('allow')).toBe(route.methods.join(', '))
      expect(response.headers.get('cache-control')).toBe('no-store')
      if (method !== 'HEAD') {
        const isInForm = route.errors === 'oauth' ? JSON.parse(text).error : isJsonRpc(text)
        expect(isInForm).toBeTruthy()
      }
      await expect.poll(logged).toEqual([`${method} ${route.path}`])
    }
    const html = { method: 'PUT', headers: { accept: 'text/html' } }
    const { response, text } = await send(pathOf(route), html)
    expect(response.status).toBe(405)
    const isPage = response.headers.get('content-type')?.startsWith('text/html')
    expect(isPage).toBe(route.errors === 'page')
    if (isPage) expect(text).toContain('<p role="alert">Use GET or')
  },
)

test('pages, probes and metadata follow it, too, and a hidden route is 404', async () => {
  const hidden = own.filter(({ isHidden }) => isHidden).map(({ path }) => path)
  expect(hidden).toEqual(['/metrics'])
  expect((await send('/metrics', { method: 'POST' })).response.status).toBe(404)
})

test.each(table.all.map(({ path }) => [path, pathOf({ path } as Route)] as const))(
  '%s has its label in metrics, whatever its parameters',
  async (label, path) => {
    const url = `${path}?state=${SECRET}`
    const { linesSince } = await send(url, { method: 'PUT' })
    const { text } = await send('/metrics', {})
    expect(text).toContain(`route="${label}"`)
    expect(text + linesSince()).not.toContain(SECRET)
  },
)

describe('values in a path', () => {
  test.each([
    `/connect/${SECRET}`,
    `/connect/${SECRET}/more`,
    `/consent/${SECRET}`,
    `/authorize/${SECRET}`,
    `/authorize/x/${SECRET}`,
    `/authorize/%${SECRET}`,
    `/token/${SECRET}`,
    `/register/${SECRET}`,
    `/.well-known/${SECRET}`,
    `/.well-known/oauth-authorization-server/${SECRET}`,
    `/demo/api/accounts/${SECRET}`,
    `/demo/api/${SECRET}`,
    `/mcp/${SECRET}`,
    `/${SECRET}`,
    `/reset/${SECRET}?token=${SECRET}`,
    `//${SECRET}`,
  ])('%s leaves nothing of it in log or metrics', async (path) => {
    for (const method of ['GET', 'POST']) {
      const { logged, linesSince } = await send(path, { method })
      await expect.poll(logged).toHaveLength(1)
      expect(linesSince()).not.toContain(SECRET)
    }
    expect((await send('/metrics', {})).text).not.toContain(SECRET)
  })

  test.each(['/nothing', '/mcp/x', '/connect', '/token/x', '/authorize/a/b', '/%00', '/%zz'])(
    '%s is logged as unknown',
    async (path) => {
      const { logged } = await send(path, {})
      await expect.poll(logged).toEqual(['GET unknown'])
    },
  )
})
