/**
 * Clients that prefer an authentication method that the server may lack: whether another one works.
 */

import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { authorizeClient } from '../authorize-client.ts'
import type { AuthForm, ClientProfile } from '../client-profiles.ts'
import { type Finding, ok, skipped, warning, wrong } from '../findings.ts'
import { objectIn } from '../http.ts'
import { needsServer } from '../needs.ts'
import { exchange, failureIn, postForm, register } from '../oauth.ts'
import type { Check, RegisteredClient, ServerMetadata, Visit } from '../visit.ts'

const METHOD = 'private_key_jwt'

/**
 * Servers fetch client ID metadata documents from the public internet, where the doctor cannot
 * publish one. It registers their contents instead (RFC 7591), and requests tokens with an
 * assertion, as such clients may.
 */
export const authMethods: Check = {
  id: 'auth-methods',
  title: 'Clients that prefer to sign their token requests',
  run: needsServer(async (visit, server) => {
    const forms = visit.profiles.flatMap((profile) =>
      (profile.authForms ?? []).map((form) => [profile, form] as const),
    )
    if (forms.length === 0) return [skipped('None of these clients is known to do so.')]
    if (server.registration_endpoint === undefined) {
      return [skipped('Clients cannot register here.')]
    }
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const findings: Finding[] = []
    for (const [profile, form] of forms) {
      findings.push(await play(visit, server, profile, form, privateKey))
    }
    return findings
  }),
}

async function play(
  visit: Visit,
  server: ServerMetadata,
  { title, redirectUris }: ClientProfile,
  { says, metadata }: AuthForm,
  key: KeyObject,
): Promise<Finding> {
  const who = `A client whose metadata ${says}, as the document of ${title} does,`
  const answer = await register(visit, server, redirectUris, metadata)
  const { client_id: id, token_endpoint_auth_method: method } = objectIn(answer)
  if (answer.status === 201 && method === METHOD) {
    return skipped(`${who} registers for ${METHOD}; the doctor cannot sign as this client does.`)
  }
  if (answer.status !== 201 || typeof id !== 'string' || method !== 'none') {
    return wrong(
      `${who} is not accepted as a public client: ${failureIn(answer)}.`,
      `Let the server choose a method that it supports (RFC 7591, 3.2.1), or offer ${METHOD}.`,
    )
  }
  const client = { id, redirectUri: redirectUris[0] ?? '' }
  const outcome = await authorizeClient(visit, server, client)
  if ('failure' in outcome) {
    if (outcome.needsPerson) {
      return ok(
        `${who} can register as a public client. Its tokens were not tested: ${outcome.failure}`,
      )
    }
    return wrong(`${who} registers, but ${outcome.failure}`, 'Look at the log of the server.')
  }
  const tokens = await exchange(server, client, outcome.given, assertion(server, client, key))
  const { refresh_token: token } = objectIn(tokens)
  if (typeof token === 'string' && server.revocation_endpoint !== undefined) {
    await postForm(server.revocation_endpoint, { client_id: id, token })
  }
  if (tokens.status === 200) {
    return ok(
      `${who} is accepted as a public client, even with an assertion. Tested by registration.`,
    )
  }
  return warning(
    `${who} is accepted as a public client, but not with an assertion: ${failureIn(tokens)}.`,
    `Ignore assertions of public clients (RFC 6749, 3.2), or offer ${METHOD}.`,
  )
}

/** RFC 7523, 2.2, signed with a new, unregistered key. */
function assertion(
  server: ServerMetadata,
  { id }: RegisteredClient,
  key: KeyObject,
): Readonly<Record<string, string>> {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const aud = server.token_endpoint
  const claims = { iss: id, sub: id, aud, iat, exp: iat + 60, jti: randomUUID() }
  const input = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`,
  }
}
