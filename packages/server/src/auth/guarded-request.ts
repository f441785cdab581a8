/** One GET to an address that a stranger named: public hosts only, small answers, bounded in time. */

import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { type Dispatcher, request } from 'undici'
import { createGuardedAgent, NotPublicError } from '../upstream/guarded-agent.ts'
import type { Outgoing } from '../upstream/outgoing.ts'
import { isPublicAddress } from '../upstream/public-address.ts'

export interface GuardOptions {
  /** All addresses of a host name. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>
  /** For development and tests: addresses of this machine, and any port. */
  readonly allowLoopback: boolean
  readonly proxyFor?: Outgoing['proxyFor'] | undefined
  /** Trusted besides the usual certificate authorities' own, in PEM. */
  readonly ca?: string | undefined
  /** For everything: name, connection, answer. */
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface GuardedAnswer {
  readonly status: number
  readonly cacheControl: string
  /** Empty unless the status is 200. */
  readonly text: string
}

/**
 * Sends the request over a connection of its own. The dispatcher is named, so that none that is global
 * can take its place and connect elsewhere.
 * @throws TypeError for an address that is refused, before anything is connected
 * @throws Error when the answer is late, too large, encoded, not UTF-8 or does not come
 */
export async function guardedRequest(
  address: string,
  options: GuardOptions,
  given?: AbortSignal | null,
): Promise<GuardedAnswer> {
  const url = allowedUrl(address, options)
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = given ? AbortSignal.any([given, timeout]) : timeout
  const agent = createGuardedAgent({ ...options, signal })
  try {
    const response = await request(url, {
      dispatcher: agent,
      signal,
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
    })
    return await readAnswer(response, options.maxBytes)
  } finally {
    await agent.destroy()
  }
}

/** The checks that need no name to be resolved. */
function allowedUrl(address: string, { allowLoopback }: GuardOptions): URL {
  const url = new URL(address)
  if (url.protocol !== 'https:') throw new TypeError('Only https addresses are fetched')
  if (url.username !== '' || url.password !== '') throw new TypeError('Credentials in the address')
  // URL leaves the default port out.
  if (url.port !== '' && !allowLoopback) throw new TypeError('Only port 443 is fetched from')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // A literal address is connected to without a lookup. URL has brought its spellings to one.
  if (isIP(host) && !isPublicAddress(host, allowLoopback)) throw new NotPublicError()
  return url
}

async function readAnswer(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<GuardedAnswer> {
  const cacheControl = String(headers['cache-control'] ?? '')
  // A redirect is an answer like any other that is not 200: it is not followed.
  if (status !== 200) {
    body.on('error', () => undefined).destroy()
    return { status, cacheControl, text: '' }
  }
  const chunks: Buffer[] = []
  let size = 0
  // We asked for `identity`; an encoded answer could grow without limit when decoded.
  const encoding = String(headers['content-encoding'] ?? 'identity')
  for await (const chunk of body) {
    if (encoding.toLowerCase() !== 'identity') throw new Error('The answer is encoded')
    size += chunk.length
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes) throw new Error('The answer is too large')
    chunks.push(chunk)
  }
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  return { status, cacheControl, text }
}
