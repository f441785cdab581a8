/** The metadata of the authorization server (RFC 8414), built-in or external. */

import { isSafe, wellKnown } from '../addresses.ts'
import { type Finding, ok, skipped, warning, whether, wrong } from '../findings.ts'
import { type Answer, ask, objectIn } from '../http.ts'
import { endpointsIn, readMetadata } from '../metadata-document.ts'
import { postForm } from '../oauth.ts'
import { isWithinReach } from '../reach.ts'
import { reasonOf } from '../reasons.ts'
import type { Check, ServerMetadata, Visit } from '../visit.ts'

export const serverMetadata: Check = {
  id: 'server-metadata',
  title: 'Metadata of the authorization server',
  async run(visit) {
    const here = await ask(wellKnown('oauth-authorization-server', visit.base))
    return here.status === 200 ? ofBuiltIn(visit, here) : ofAnother(visit)
  },
}

async function ofBuiltIn(visit: Visit, answer: Answer): Promise<readonly Finding[]> {
  const { base, facts } = visit
  facts.noBuiltIn = 'It needs valid metadata of the authorization server; see that check.'
  const read = readMetadata(answer)
  if ('fault' in read) return [read.fault]
  const { metadata } = read
  if (metadata.issuer !== base || (facts.issuer ?? base) !== base) {
    const named = [...new Set([metadata.issuer, facts.issuer ?? metadata.issuer])].join(' and ')
    return [
      wrong(
        `The issuer is ${named}, not ${base}: clients refuse it, or connect to another server.`,
        `Set PUBLIC_URL=${base} on every node, and restart them.`,
      ),
    ]
  }
  const findings = [ok(`The issuer is ${base}.`), ...elsewhere(metadata, base), ...judge(metadata)]
  // SSRF: sends nothing to URLs that failed a check.
  if (findings.some(({ verdict }) => verdict === 'wrong')) return findings
  const reached = await reach(metadata)
  if (reached.verdict !== 'wrong') facts.builtIn = metadata
  return [...findings, reached]
}

/** All URLs of the built-in server must be below its address. */
function elsewhere(metadata: ServerMetadata, base: string): readonly Finding[] {
  const others = endpointsIn(metadata).filter(([, address]) => !address.startsWith(`${base}/`))
  if (others.length === 0) return []
  return [
    wrong(
      `Not at ${base}: ${listed(others)}.`,
      `Set PUBLIC_URL=${base} on every node; a proxy may rewrite responses.`,
    ),
  ]
}

function listed(endpoints: ReturnType<typeof endpointsIn>): string {
  return endpoints.map(([name, address]) => `${name} ${address}`).join(', ')
}

/** RFC 8414, 3.1, and OpenID Connect Discovery, 4: the URLs that clients try, in order. */
function placesOf(issuer: string): readonly string[] {
  const bare = issuer.replace(/\/$/, '')
  return [
    wellKnown('oauth-authorization-server', bare),
    wellKnown('openid-configuration', bare),
    `${bare}/.well-known/openid-configuration`,
  ]
}

async function ofAnother({ base, facts }: Visit): Promise<readonly Finding[]> {
  const { issuer } = facts
  const { origin } = new URL(base)
  facts.noBuiltIn = 'It needs an authorization server, and none was found.'
  if (issuer === undefined) return [skipped('No resource says which authorization server it has.')]
  facts.noBuiltIn = `This concerns ${issuer}, which authorizes the clients of this server, and not the server itself.`
  if (!(await isWithinReach(issuer, base).catch(() => false))) {
    return [
      wrong(
        `Clients are sent to ${issuer}, which is not a public address, or deeper inside the network than ${origin}: the doctor does not request it.`,
        'Set OAUTH_ISSUER to an address that all clients reach.',
      ),
    ]
  }
  for (const place of placesOf(issuer)) {
    const answer = await ask(place).catch(() => undefined)
    if (answer?.status !== 200) continue
    const read = readMetadata(answer)
    if ('fault' in read) return [read.fault]
    return [
      ok(`Clients are sent to ${issuer}; its metadata is at ${place}.`),
      ...judge(read.metadata, issuer),
    ]
  }
  return [
    wrong(
      `Clients are sent to ${issuer}, and no metadata is found there.`,
      `If that is an authorization server of yours, look at its address in OAUTH_ISSUER. If it should be the built-in one, set PUBLIC_URL=${origin}, and forward /.well-known/ to the nodes.`,
    ),
  ]
}

/** Checks the document. `issuer` is the expected issuer, if nothing has checked it before. */
function judge(metadata: ServerMetadata, issuer = metadata.issuer): readonly Finding[] {
  const pkce = metadata.code_challenge_methods_supported ?? []
  const unsafe = endpointsIn(metadata).filter(([, address]) => !isSafe(address))
  return [
    ...(metadata.issuer === issuer
      ? []
      : [wrong(`Its issuer is ${metadata.issuer}.`, 'Set OAUTH_ISSUER to exactly that.')]),
    whether(
      pkce.includes('S256'),
      'PKCE with S256 is offered.',
      wrong(
        'PKCE with S256 is not offered: clients refuse to connect.',
        'Turn it on at the authorization server.',
      ),
    ),
    whether(
      unsafe.length === 0,
      'Every endpoint is on https, or on this machine.',
      wrong(
        `Not on https: ${listed(unsafe)}.`,
        'Put the server behind a proxy with TLS, and set PUBLIC_URL to its https address.',
      ),
    ),
    ...offers(metadata),
  ]
}

function offers(metadata: ServerMetadata): readonly Finding[] {
  const { registration_endpoint: registers, client_id_metadata_document_supported: reads } =
    metadata
  const findings: Finding[] = []
  if (registers !== undefined) findings.push(ok('Clients can register themselves.'))
  if (reads === true)
    findings.push(ok('Clients can be identified by their metadata documents (CIMD).'))
  if (findings.length === 0) {
    findings.push(
      warning(
        'Clients can neither register nor be identified by a document: each must be set up by hand.',
        'Turn on dynamic registration or CIMD at the authorization server.',
      ),
    )
  }
  if (metadata.authorization_response_iss_parameter_supported === true) {
    return [...findings, ok('Responses name their issuer (RFC 9207).')]
  }
  const mend = 'Turn it on at the authorization server (RFC 9207).'
  return [
    ...findings,
    warning('Responses do not name their issuer, which enables mix-up attacks.', mend),
  ]
}

/** Whether the endpoints exist: each refuses an empty request with JSON. */
async function reach(metadata: ServerMetadata): Promise<Finding> {
  const { token_endpoint: token, authorization_endpoint: authorize } = metadata
  if (token === undefined || authorize === undefined) {
    return wrong('There is no token or authorization endpoint.', 'Something else answers here.')
  }
  try {
    const [asked, page] = await Promise.all([postForm(token, {}), ask(authorize)])
    const isThere = objectIn(asked).error !== undefined && asked.status < 500
    if (isThere && page.status !== 404) return ok('Its endpoints answer.')
    return wrong(
      `${token} answers ${asked.status} and ${authorize} ${page.status} where they should refuse.`,
      'Forward all paths to the nodes, with every method.',
    )
  } catch (error) {
    const { what, mend } = reasonOf(error)
    return wrong(`Its endpoints cannot be reached: ${what}.`, mend)
  }
}
