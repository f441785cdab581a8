/**
 * SSRF protection: one GET to an address that an unauthenticated caller chose. Public hosts only,
 * with limits for size and time.
 */

import { isIP } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Outgoing } from '../upstream/outgoing.ts'
import { isPublicAddress, NotPublicError } from '../upstream/public-address.ts'
import type { ResolveHost } from '../upstream/public-resolver.ts'

export interface GuardOptions {
  /** All addresses of a host name. */
  readonly resolve: ResolveHost
  /** For development and tests: permits loopback addresses, and any port. */
  readonly allowLoopback: boolean
  readonly proxyFor?: Outgoing['proxyFor'] | undefined
  /** Trusted instead of the system's certificate authorities, in PEM. */
  readonly ca?: string | undefined
  /** Deadline for DNS, connection and response together. */
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
 * Sends the request over its own TCP connection. Passes the dispatcher explicitly, so that no
 * global dispatcher can connect elsewhere. The agent connects to the very addresses that it has
 * checked, so that DNS rebinding has no effect (no TOCTOU). Imports the HTTP client lazily.
 * @throws TypeError for a refused address, before any connection
 * @throws Error when the response is late, too large, encoded, not UTF-8 or missing
 */
export async function guardedRequest(
  address: string,
  options: GuardOptions,
  given?: AbortSignal | null,
): Promise<GuardedAnswer> {
  const url = allowedUrl(address, options)
  const [{ request }, { createGuardedAgent }] = await Promise.all([
    import('undici'),
    import('../upstream/guarded-agent.ts'),
  ])
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = given ? AbortSignal.any([given, timeout]) : timeout
  const { resolve, allowLoopback, ca, timeoutMs, proxyFor } = options
  const agent = createGuardedAgent({ resolve, allowLoopback, ca, timeoutMs, proxyFor, signal })
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

/** The checks that need no DNS lookup. */
function allowedUrl(address: string, { allowLoopback }: GuardOptions): URL {
  const url = new URL(address)
  if (url.protocol !== 'https:') throw new TypeError('Only https addresses are fetched')
  if (url.username !== '' || url.password !== '') throw new TypeError('Credentials in the address')
  // `URL` omits the default port.
  if (url.port !== '' && !allowLoopback) throw new TypeError('Only port 443 is fetched from')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // The agent's lookup does not see literal addresses. `URL` has normalized their notation.
  if (isIP(host) && !isPublicAddress(host, allowLoopback)) throw new NotPublicError()
  return url
}

async function readAnswer(
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<GuardedAnswer> {
  const cacheControl = String(headers['cache-control'] ?? '')
  // Does not follow redirects: a redirect is a response that is not 200, like any other.
  if (status !== 200) {
    body.on('error', () => undefined).destroy()
    return { status, cacheControl, text: '' }
  }
  const chunks: Buffer[] = []
  let size = 0
  // We requested `identity`; a compressed response could be a decompression bomb.
  const encoding = String(headers['content-encoding'] ?? 'identity')
  for await (const chunk of body) {
    if (encoding.toLowerCase() !== 'identity') throw new Error('The answer is encoded')
    size += chunk.length
    // Throwing out of the loop destroys the stream and its TCP connection.
    if (size > maxBytes) throw new Error('The answer is too large')
    chunks.push(chunk)
  }
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  return { status, cacheControl, text }
}
