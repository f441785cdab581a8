/**
 * Client authentication by `private_key_jwt` (RFC 7523, section 2.2), with replay protection, and
 * by `client_secret_basic` from clients that do not form-encode their secrets.
 */

import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors as jose,
} from 'jose'
import type Provider from 'oidc-provider'
import { type Client, errors, type KoaContextWithOIDC, type OIDCContext } from 'oidc-provider'
import { z } from 'zod'
import { timingSafeEqualStrings } from '../../crypto/hash.ts'
import type { Entries } from '../../oidc/entries.ts'
import type { ClientKeys } from '../client-keys.ts'
import { ASSERTION_KEYS } from './clients.ts'
import type { AssertionKeys } from './metadata-documents.ts'
import { storageOf } from './request-storage.ts'
import { forProvider } from './unavailable.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ENDPOINTS = ['token', 'revocation', 'introspection']
/** Advertised (RFC 8414, section 2). Asymmetric only, against algorithm confusion. */
export const ASSERTION_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
/** Maximum remaining lifetime of an assertion, which bounds how long its `jti` is stored. */
const LONGEST_SECONDS = 600
/** For clients whose clocks run ahead. An expired assertion gets no tolerance. */
const CLOCK_TOLERANCE_SECONDS = 60
/** RFC 7523bis, section 4: `client-authentication+jwt`; older clients send `JWT` or no `typ`. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'client-authentication+jwt']

interface ClientAssertionDeps {
  readonly documents: ClientKeys
  readonly entries: Pick<Entries, 'markUse'>
  /** The issuer of this server, and the base of its token endpoint. */
  readonly issuer: string
  /** Unix time in milliseconds. */
  now(): number
}

/**
 * Authenticates a client at the endpoints that require client authentication; no-op at others.
 * @throws InvalidClientAuth
 */
export type AuthenticateClient = (ctx: KoaContextWithOIDC, client: Client) => Promise<void>

const claimsForm = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.tuple([z.string()])]),
  jti: z.string().min(1),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
})

/**
 * Verifies the assertion of a client whose metadata has keys. The library sees such clients as
 * public clients with PKCE. One document can therefore offer `none` as well, and this code decides
 * when to fetch keys and how to report an unreachable host (503, since clients drop their tokens on
 * a 401).
 */
export function createAuthenticateClient(deps: ClientAssertionDeps): AuthenticateClient {
  const verify = createVerify(deps)
  const authenticated = new WeakSet<KoaContextWithOIDC>()

  return async (ctx, client) => {
    const own = client[ASSERTION_KEYS] as AssertionKeys | undefined
    if (own === undefined || !ENDPOINTS.includes(ctx.oidc.route) || authenticated.has(ctx)) return
    authenticated.add(ctx)
    const { client_assertion: jwt, client_assertion_type: type } = ctx.oidc.body ?? {}
    if (jwt === undefined && !own.isRequired) return
    if (jwt === undefined) throw refused('an assertion is required')
    // Parameters must not be repeated (RFC 6749, section 3.2).
    if (typeof jwt !== 'string' || type !== JWT_BEARER) throw refused('it has another type')
    try {
      await verify(ctx, client.clientId, jwt, own)
    } catch (error) {
      const isOurs = error instanceof errors.OIDCProviderError
      if (isOurs || !(error instanceof jose.JOSEError || error instanceof TypeError)) throw error
      throw refused(error instanceof jose.JOSEError ? error.code : 'malformed')
    }
  }
}

function createVerify({ documents, entries, issuer, now }: ClientAssertionDeps) {
  const checkClaims = createCheckClaims(issuer, now)

  return async function verify(
    ctx: KoaContextWithOIDC,
    clientId: string,
    jwt: string,
    own: AssertionKeys,
  ) {
    const { alg, typ, kid, crit } = decodeProtectedHeader(jwt)
    if (alg !== (own.alg ?? alg)) throw refused('alg is not that of the metadata')
    if (!ASSERTION_ALGORITHMS.includes(String(alg))) throw refused('alg is not supported')
    // RFC 7515, section 4.1.9: `application/` may be left out.
    if (!TYPES.includes(typ?.toLowerCase().replace(/^application\//, '')))
      throw refused('typ is that of another token')
    if (crit !== undefined) throw refused('crit is not supported')
    const { jti, secondsLeft } = checkClaims(jwt, clientId, own)
    const keys =
      'jwks' in own
        ? { keys: [...own.jwks] }
        : await forProvider(() => documents.keysAt(own.jwksUri, kid, storageOf(ctx)))
    await compactVerify(jwt, createLocalJWKSet(keys), { algorithms: ASSERTION_ALGORITHMS })
    // RFC 7523, section 3, item 7: refuses a replay. An atomic write of the `jti` covers all nodes.
    const use = JSON.stringify([clientId, jti])
    const isFirst = await forProvider(() => entries.markUse('ClientAssertion', use, secondsLeft))
    if (!isFirst) throw refused('the assertion was already used')
  }
}

/** RFC 7523, section 3, in the order of the specification. */
function createCheckClaims(issuer: string, now: () => number) {
  // RFC 3986, 6.2.3: an empty path equals `/`, which the Python client 1.x appends.
  const spellings = new URL(issuer).pathname === '/' ? [issuer, `${issuer}/`] : [issuer]

  return (jwt: string, clientId: string, { issuerOnly = false }: AssertionKeys) => {
    const audiences = issuerOnly ? spellings : [issuer, `${issuer}/token`]
    const claims = claimsForm.safeParse(decodeJwt(jwt)).data
    if (claims === undefined) throw refused('a claim is missing or malformed')
    const { iss, sub, aud, exp, iat, nbf, jti } = claims
    if (iss !== clientId || sub !== clientId) throw refused('iss and sub must be the client_id')
    if (!audiences.includes([aud].flat()[0] ?? '')) throw refused('aud must be the issuer')
    const seconds = now() / 1000
    const latest = seconds + CLOCK_TOLERANCE_SECONDS
    if (exp <= seconds) throw refused('the assertion has expired')
    if (exp > latest + LONGEST_SECONDS) throw refused('exp is too far ahead')
    if ((iat ?? 0) > latest || (nbf ?? 0) > latest) throw refused('iat or nbf is ahead')
    return { jti, secondsLeft: Math.ceil(exp - seconds) }
  }
}

/** `reason` is for the log only; the client receives a generic `invalid_client`. */
function refused(reason: string): errors.InvalidClientAuth {
  return new errors.InvalidClientAuth(reason)
}

type Body = Readonly<Record<string, unknown>>

/**
 * Fills in a missing `client_id` from the subject of the assertion (RFC 7521, 4.2), which clients
 * that sign assertions rely on. The unverified subject proves no more than a `client_id` does.
 * Replaces the setter, since the library offers no hook between reading the body and the client.
 */
export function identifyByAssertion(provider: Provider): void {
  const bodies = new WeakMap<OIDCContext, Body | undefined>()
  Object.defineProperty(provider.OIDCContext.prototype, 'body', {
    configurable: true,
    get(this: OIDCContext) {
      return bodies.get(this)
    },
    set(this: OIDCContext, body: Body | undefined) {
      bodies.set(this, ENDPOINTS.includes(this.route) ? withClientId(body) : body)
    },
  })
}

function withClientId(body: Body | undefined): Body | undefined {
  if (body === undefined || body.client_id || body.client_assertion_type !== JWT_BEARER) return body
  const client_id = subjectOf(body.client_assertion)
  return client_id === undefined ? body : { ...body, client_id }
}

/** The subject of a JWT, unverified. */
function subjectOf(jwt: unknown): string | undefined {
  if (typeof jwt !== 'string') return undefined
  try {
    const payload = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    return typeof payload?.sub === 'string' ? payload.sub : undefined
  } catch {
    return undefined
  }
}

type Clients = readonly Readonly<Record<string, unknown>>[]

/**
 * Form-encodes a configured secret that a client sent unencoded, before the library decodes it.
 * RFC 6749, 2.3.1 requires the encoding of id and secret, and the library enforces it; the official
 * MCP clients omit it. The library would refuse their secrets with `+` or `%` (as
 * `openssl rand -base64` creates them). Leaves all other headers unchanged.
 */
export function encodedBasic(header: string | undefined, clients: Clients): string | undefined {
  const [, encoded] = /^basic +([\w+/=-]+)$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return header
  const shown = Buffer.from(encoded, 'base64').toString()
  const colon = shown.indexOf(':')
  const id = shown.slice(0, colon)
  const secret = shown.slice(colon + 1)
  const client = clients.find(({ client_id }) => client_id === id)
  const known = client?.client_secret
  if (typeof known !== 'string' || !timingSafeEqualStrings(known, secret)) return header
  const pair = [id, secret].map(encodeURIComponent).join(':')
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
