/**
 * `Host`, `Origin` and forwarded headers: DNS rebinding, cross-origin calls and cache poisoning.
 */

import { wellKnown } from '../addresses.ts'
import { type Finding, ok, skipped, warning, whether, wrong } from '../findings.ts'
import { ask, postJson } from '../http.ts'
import { PING } from '../mcp.ts'
import type { Check } from '../visit.ts'

const EVIL = 'evil.example'

export const hosts: Check = {
  id: 'hosts',
  title: 'Host and Origin',
  async run({ base }) {
    const metadata = wellKnown('oauth-protected-resource', `${base}/mcp`)
    return Promise.all([otherHost(metadata), otherOrigin(base), forwarded(metadata)])
  },
}

async function otherHost(metadata: string): Promise<Finding> {
  const answer = await ask(metadata, { headers: { host: EVIL } }).catch(() => undefined)
  if (answer === undefined || answer.status !== 200) {
    return ok(`A foreign Host is refused (${answer?.status ?? 'the connection is closed'}).`)
  }
  if (answer.text.includes(EVIL)) {
    return wrong(
      'A forged Host appears in the metadata: an attacker who poisons a cache can redirect clients.',
      'Set PUBLIC_URL; nothing else may name the server.',
    )
  }
  return warning(
    'A forged Host is served: the proxy does not check it, and hides it from the server.',
    'Let the proxy serve its own names only, and pass them on: nginx `server_name` with a default server that refuses, and `proxy_set_header Host $http_host;`.',
  )
}

async function otherOrigin(base: string): Promise<Finding> {
  const { status } = await postJson(`${base}/mcp`, PING, { origin: `https://${EVIL}` })
  return whether(
    status === 403,
    'A page of another origin may not call (403).',
    wrong(
      `A page of another origin may call /mcp (${status}): Origin does not reach the server, or is allowed.`,
      'Let the proxy pass Origin on: nginx without `proxy_set_header Origin ""`. Remove foreign origins from ALLOWED_ORIGINS.',
    ),
  )
}

async function forwarded(metadata: string): Promise<Finding> {
  const usual = await ask(metadata)
  if (usual.status !== 200) return skipped('Forwarded names need metadata to show in.')
  const headers = {
    'x-forwarded-host': EVIL,
    'x-forwarded-proto': 'https',
    forwarded: `host=${EVIL};proto=https`,
  }
  const answer = await ask(metadata, { headers })
  return whether(
    answer.text === usual.text,
    'X-Forwarded-Host and Forwarded change nothing.',
    wrong(
      'X-Forwarded-Host or Forwarded change the metadata: clients can be sent elsewhere.',
      'A proxy rewrites responses by these headers: turn that off, or strip them at the outer proxy.',
    ),
  )
}
