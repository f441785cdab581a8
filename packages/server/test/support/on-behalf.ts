/** An issuer whose tokens are exchanged for tokens of an API, in either dialect, and the servers in front. */

import type { IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'
import { json, startServer } from '../upstream/misbehaving-server.ts'
import { startApp } from './app.ts'
import { startExternalIssuer, type TokenOptions } from './external-issuer.ts'
import { freePort } from './free-port.ts'
import { withToken } from './token-app.ts'
import { postModern, read } from './wire.ts'

export type ExchangeAnswer = (form: URLSearchParams) => {
  readonly status?: number
  readonly body: unknown
}

export interface CallOutcome {
  readonly status: number
  readonly isError: boolean
  readonly text: string
  /** The result or error as JSON. */
  readonly json: string
}

export const ENTRA = {
  UPSTREAM_TOKEN_EXCHANGE: 'entra-obo',
  UPSTREAM_SCOPES: 'openid offline_access https://graph.example.com/.default',
}
export const RFC8693 = {
  UPSTREAM_TOKEN_EXCHANGE: 'rfc8693',
  UPSTREAM_AUDIENCE: 'api://bank',
  UPSTREAM_SCOPES: 'openid offline_access accounts',
}
export const CLIENT_SECRET = 'secret-of-the-exchange'

export interface OnBehalfOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The number of servers, which share the configured store. */
  readonly nodes?: number
}

/** Starts everything; stopped after the test. The API responds with the token that it received. */
export async function startOnBehalf({ env = RFC8693, nodes = 1 }: OnBehalfOptions = {}) {
  const issuer = await startExternalIssuer()
  onTestFinished(() => issuer.stop())
  const exchanges: { form: URLSearchParams; authorization: string | undefined }[] = []
  let answer: ExchangeAnswer = (form) => ({ body: exchanged(form) })
  issuer.metadataIs({
    authorization_endpoint: `${issuer.url}/authorize`,
    token_endpoint: `${issuer.url}/exchange`,
  })
  issuer.answerAt('/exchange', async (request, response) => {
    const form = new URLSearchParams(await textOf(request))
    exchanges.push({ form, authorization: request.headers.authorization })
    const { status = 200, body } = answer(form)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  const rejected = new Set<string>()
  const api = await startServer((res, req, index) => {
    const { authorization = '' } = req.headers
    if (rejected.has(authorization)) return res.writeHead(401).end()
    return json(accountOf(authorization))(res, req, index)
  })
  onTestFinished(() => api.close())
  const port = String(await freePort())
  const PUBLIC_URL = `http://localhost:${port}`
  const shared = {
    ...{ RATE_LIMIT: 'off', PUBLIC_URL, OAUTH_ISSUER: issuer.url, UPSTREAM_ISSUER: issuer.url },
    ...{ UPSTREAM_CLIENT_ID: 'bank-server', UPSTREAM_CLIENT_SECRET: CLIENT_SECRET },
    UPSTREAM_API_URL: api.origin,
    ...env,
  }
  const start = async () => {
    const app = await startApp({ env: shared })
    onTestFinished(() => app.stop())
    return app
  }
  const first = await start()
  const further = await Promise.all(Array.from({ length: nodes - 1 }, start))
  const apps = [first, ...further] as const
  return {
    apps,
    issuer,
    api,
    /** Values of `Authorization` that the API refuses with 401. */
    rejected,
    exchanges,
    answer: (by: ExchangeAnswer) => {
      answer = by
    },
    token: (options?: TokenOptions) => issuer.token(`${PUBLIC_URL}/mcp`, options),
    claims: () => issuer.claims(`${PUBLIC_URL}/mcp`),
    async call(token: string, tool = 'service', node = 0): Promise<CallOutcome> {
      const { localUrl } = apps[node] ?? first
      const params = { name: tool, arguments: {} }
      const asking = postModern(localUrl, 'tools/call', params, { headers: withToken(token) })
      const { status, message } = await read(asking)
      const { content, isError } = (message.result ?? {}) as {
        content?: { text?: string }[]
        isError?: boolean
      }
      const text = content?.[0]?.text ?? ''
      return { status, isError: isError === true, text, json: JSON.stringify(message) }
    },
    lines: () => apps.flatMap((app) => app.lines).join(''),
  }
}

/** A valid response: a token that identifies its owner. */
export function exchanged(form: URLSearchParams, more: object = {}) {
  const token = form.get('subject_token') ?? form.get('assertion') ?? ''
  const [, payload = ''] = token.split('.')
  const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }
  return {
    access_token: `api-token-of-${sub}`,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 300,
    ...more,
  }
}

function accountOf(authorization: string) {
  return {
    ...{
      id: 'a',
      owner: authorization.replace(/^Bearer (api-token-of-)?/, 'Account of '),
      accountNumber: '12345678',
    },
    ...{ iban: 'DE00123456789', email: 'ada@example.com', balance: 1, currency: 'EUR' },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
