/** Collects the secrets that must not be found anywhere from the traffic that used them. */

import type { Exchange } from '../../support/recording-balancer.ts'

export interface Secret {
  readonly kind: string
  readonly value: string
}

/** Parameters of queries and forms, by what they are. */
const PARAMETERS: Readonly<Record<string, string>> = {
  code: 'authorization code',
  state: 'state',
  nonce: 'nonce',
  code_verifier: 'code verifier',
  refresh_token: 'refresh token',
  token: 'revoked token',
}

/** Fields of a token answer. */
const TOKENS: Readonly<Record<string, string>> = {
  access_token: 'access token',
  refresh_token: 'refresh token',
  id_token: 'ID token',
}

/** Shorter values match by chance. */
const SHORTEST = 8

/** Every secret that went over the wire, each once. */
export function secretsIn(exchanges: readonly Exchange[]): readonly Secret[] {
  const found = exchanges.flatMap((exchange) => [
    ...inUrl(exchange.path),
    ...inUrl(exchange.answer.headers.location ?? ''),
    ...inForm(exchange),
    ...inHeaders(exchange),
    ...inTokenAnswer(exchange),
  ])
  const unique = new Map(found.map((secret) => [secret.value, secret]))
  return [...unique.values()].filter(({ value }) => value.length >= SHORTEST)
}

/** Ids that name their owner: keys in Redis, but nothing for a log. */
export function idsIn(text: string): readonly Secret[] {
  const ids = new Set(text.match(/(?:ses|con)_[\w-]{43}/g))
  return [...ids].map((value) => ({
    kind: value.startsWith('ses') ? 'session id' : 'connection id',
    value,
  }))
}

function inUrl(path: string): Secret[] {
  if (path === '') return []
  const { pathname, searchParams } = new URL(path, 'http://localhost')
  const handle = /^\/connect\/(.+)$/.exec(pathname)?.[1]
  const interaction = /^\/demo\/idp\/(?:interaction|auth)\/(.+)$/.exec(pathname)?.[1]
  return [
    ...fromParameters(searchParams),
    ...(handle === undefined ? [] : [{ kind: 'link handle', value: handle }]),
    ...(interaction === undefined ? [] : [{ kind: 'interaction', value: interaction }]),
  ]
}

function inForm({ headers, body, path }: Exchange): Secret[] {
  if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded')) return []
  const parameters = new URLSearchParams(body)
  if (!path.startsWith('/connect/')) return fromParameters(parameters)
  const code = parameters.get('code') ?? ''
  return [code, code.replace('-', '')].map((value) => ({ kind: 'sign-in code', value }))
}

function fromParameters(parameters: URLSearchParams): Secret[] {
  return Object.entries(PARAMETERS).flatMap(([name, kind]) =>
    parameters.getAll(name).map((value) => ({ kind, value })),
  )
}

function inHeaders({ headers, answer }: Exchange): Secret[] {
  const { authorization = '', cookie = '', 'x-api-key': apiKey } = headers
  const set = answer.headers['set-cookie'] ?? []
  const [scheme, given = ''] = authorization.split(' ')
  const cookies = [...cookie.split('; '), ...set.map((each) => each.split(';', 1)[0] ?? '')]
  return [
    ...(scheme === 'Bearer' ? [{ kind: 'access token', value: given }] : []),
    ...(scheme === 'Basic' ? inBasic(given) : []),
    ...cookies.map((each) => ({ kind: 'cookie', value: each.replace(/^[^=]*=?/, '') })),
    ...(apiKey === undefined ? [] : [{ kind: 'API key', value: String(apiKey) }]),
  ]
}

/** RFC 6749, 2.3.1: the client's id and secret, form-encoded before they are joined. */
function inBasic(given: string): Secret[] {
  const [, secret = ''] = Buffer.from(given, 'base64').toString().split(':')
  return [
    { kind: 'basic credentials', value: given },
    { kind: 'client secret', value: decodeURIComponent(secret) },
  ]
}

function inTokenAnswer({ path, answer }: Exchange): Secret[] {
  if (!path.endsWith('/token') || answer.status !== 200) return []
  const tokens = JSON.parse(answer.body) as Record<string, string>
  return Object.entries(TOKENS).flatMap(([name, kind]) => {
    const value = tokens[name]
    return value === undefined ? [] : [{ kind, value }]
  })
}
