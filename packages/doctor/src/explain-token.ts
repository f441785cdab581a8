/**
 * `doctor --token - [URL]`: decodes an access token from standard input, and explains why a server
 * rejects it.
 */

import { text } from 'node:stream/consumers'
import {
  factsOf,
  isOfRfc9068,
  requireAccessToken,
  type TokenFacts,
  TokenRefused,
  type TokenRules,
} from '../../server/src/auth/token-rules.ts'
import { UsageError } from './arguments.ts'
import { type Finding, ok, skipped, warning, wrong } from './findings.ts'
import { ask, objectIn, postJson } from './http.ts'
import { modernRequest } from './mcp.ts'

type Claims = Readonly<Record<string, unknown>>

const DAY_SECONDS = 24 * 60 * 60
const ISSUED_IN_ERROR =
  'Give the client an access token: clients that pass on ID tokens, or tokens of another kind, are at fault.'

/** The requirements for tokens, from the server's metadata. */
interface Wanted {
  readonly resource: string
  readonly issuers: readonly string[]
}

/**
 * The findings, in the order of the server's checks. `base` is undefined without a server.
 * @throws the errors of `fetch`
 */
export async function explainToken(
  token: string,
  base: string | undefined,
  nowMs = Date.now(),
): Promise<readonly Finding[]> {
  const wanted = base === undefined ? undefined : await wantedBy(base)
  const findings = [...explainItself(token, wanted, nowMs)]
  if (base !== undefined) findings.push(await tryIt(token, base))
  return findings
}

/**
 * @throws UsageError unless the token is on standard input: arguments show in shell histories and
 * process lists
 */
export async function readToken(given: string, input: NodeJS.ReadableStream): Promise<string> {
  if (given !== '-') throw new UsageError('--token takes - alone, and reads standard input.')
  const token = (await text(input)).trim().replace(/^(authorization: *)?bearer +/i, '')
  if (token === '') throw new UsageError('There is no token on standard input.')
  return token
}

async function wantedBy(base: string): Promise<Wanted | undefined> {
  const answer = await ask(`${base}/.well-known/oauth-protected-resource/mcp`)
  const { resource, authorization_servers: issuers } = objectIn(answer)
  if (typeof resource !== 'string' || !Array.isArray(issuers)) return undefined
  return { resource, issuers: issuers.filter((each) => typeof each === 'string') }
}

function explainItself(token: string, wanted: Wanted | undefined, nowMs: number): Finding[] {
  const parts = decode(token)
  if (parts === undefined) {
    return [
      warning(
        'It is not a JWT: only the issuer knows what it means.',
        'With an issuer that issues such tokens, set OAUTH_INTROSPECTION=opaque.',
      ),
    ]
  }
  const { header, claims } = parts
  const said = ['iss', 'aud', 'client_id', 'azp', 'scope', 'scp', 'roles', 'permissions']
    .filter((name) => claims[name] !== undefined)
    .map((name) => `${name} ${JSON.stringify(claims[name])}`)
  return [
    ok(`A JWT, signed with ${header.alg}, of type ${header.typ ?? 'none'}: ${said.join(', ')}.`),
    times(claims, header.typ, nowMs),
    kind(claims, header.typ),
    ...whom(claims, wanted, nowMs),
  ]
}

function decode(
  token: string,
): { header: { alg?: string; typ?: string }; claims: Claims } | undefined {
  const [header, claims] = token.split('.').map((part) => objectIn({ text: decoded(part) }))
  if (token.split('.').length !== 3 || header === undefined || claims === undefined)
    return undefined
  const { alg, typ } = header
  if (typeof alg !== 'string') return undefined
  return { header: { alg, ...(typeof typ === 'string' && { typ }) }, claims }
}

function decoded(part: string): string {
  return Buffer.from(part, 'base64url').toString()
}

function times({ iat, exp }: Claims, typ: string | undefined, nowMs: number): Finding {
  const now = nowMs / 1000
  if (typeof exp !== 'number')
    return wrong('It names no expiry (exp).', 'Change that at the issuer.')
  if (exp <= now) {
    return wrong(`It expired ${minutes(now - exp)} ago.`, 'Let the client refresh it.')
  }
  if (typeof iat !== 'number') {
    return iat === undefined && !isOfRfc9068(typ)
      ? warning(`It does not say when it was issued (iat).`, WITHOUT_IAT)
      : wrong('It does not say when it was issued (iat).', 'Change that at the issuer.')
  }
  if (iat > now + 30) return wrong('It was issued in the future.', 'Synchronize the clocks.')
  return ok(`Issued ${minutes(now - iat)} ago, expires in ${minutes(exp - now)}.`)
}

const WITHOUT_IAT =
  'Such a token is accepted while it expires within OAUTH_TOKEN_MAX_AGE; set that to how long tokens are valid.'

function minutes(seconds: number): string {
  return `${Math.round(seconds / 60)} minutes`
}

/** The claims in which issuers put scopes; which of them count is the server's configuration. */
const SCOPE_CLAIMS = ['scope', 'scp', 'roles', 'permissions', 'realm_access.roles']

function kind(claims: Claims, typ: string | undefined): Finding {
  try {
    requireAccessToken(claims, typ, { scopeClaims: SCOPE_CLAIMS })
  } catch (error) {
    if (!(error instanceof TokenRefused)) throw error
    return wrong(`It does not count as an access token: ${error.message}.`, ISSUED_IN_ERROR)
  }
  if (claims.scope !== undefined || claims.scp !== undefined) return ok('It is an access token.')
  return warning(
    'It is an access token without scope and scp.',
    'Set OAUTH_SCOPE_CLAIMS to the claim that has scopes, such as roles or permissions.',
  )
}

/** Checks issuer, audience and expiry. */
function whom(claims: Claims, wanted: Wanted | undefined, nowMs: number): Finding[] {
  if (wanted === undefined) return [skipped('Name a server to have issuer and audience compared.')]
  const { issuers, resource } = wanted
  const rules = (audiences: readonly string[]): TokenRules => ({
    issuer: issuers[0] ?? '',
    ...{ tokenIssuers: issuers, tenants: [], audiences, clientsWithoutAudience: [] },
    ...{ scopeClaims: SCOPE_CLAIMS, scopeMap: {}, maxAgeSeconds: DAY_SECONDS },
  })
  const origin = resource.replace(/\/mcp$/, '')
  const found = factsOrReason(
    claims,
    rules(['/mcp', '/sse', '/http'].map((path) => origin + path)),
    nowMs,
  )
  if (typeof found !== 'string') return [ok('Issuer and audience are those that the server names.')]
  const mend = /^aud/.test(found)
    ? 'Set OAUTH_AUDIENCE to what the issuer writes into aud; without any, OAUTH_CLIENTS_WITHOUT_AUDIENCE.'
    : /^iss/.test(found)
      ? `The server names ${issuers.join(', ')}. Set OAUTH_ISSUER, or OAUTH_TOKEN_ISSUERS, to what iss says.`
      : 'Change that at the issuer.'
  return [warning(`By its metadata the server may refuse it: ${found}.`, mend)]
}

function factsOrReason(claims: Claims, rules: TokenRules, nowMs: number): TokenFacts | string {
  try {
    return factsOf(claims, rules, nowMs)
  } catch (error) {
    if (error instanceof TokenRefused) return error.message
    throw error
  }
}

/** The server's own response to the token. */
async function tryIt(token: string, base: string): Promise<Finding> {
  const { headers, body } = modernRequest('tools/list', {})
  const authorization = `Bearer ${token}`
  const answer = await postJson(`${base}/mcp`, body, { ...headers, authorization })
  if (answer.status === 200) return ok(`${base}/mcp accepts it.`)
  if (answer.status === 401) {
    const mend = 'Its log has the reason: “access token refused”.'
    return wrong(`${base}/mcp refuses it with 401.`, mend)
  }
  return wrong(`${base}/mcp answers ${answer.status}.`, 'Look at the log of the server.')
}
