/** The `fetch` for identity providers: https only, bounded in time and size, no redirects. */

import type { CustomFetch } from 'openid-client'
import { isLoopbackHost } from '../config/loopback.ts'

/** Metadata, key sets and token responses take a few kilobytes. */
const MAX_BYTES = 512 * 1024
/** Statuses without a body (Fetch Standard, "null body status"). */
const NULL_BODY = new Set([204, 205, 304])

export type Fetch = typeof globalThis.fetch

interface ProviderFetchOptions {
  readonly fetch: Fetch
  /** Plain http to this machine, for development. */
  readonly allowInsecureHttp: boolean
  /** Aborts every request made with this `fetch`. */
  readonly signal: AbortSignal
}

/** Creates the `fetch` of one operation. It rejects on timeout, oversize and unencrypted URLs. */
export function createProviderFetch(options: ProviderFetchOptions): CustomFetch {
  return async (address, init) => {
    const url = requireSecure(address, options.allowInsecureHttp)
    const { method, headers, body } = init
    const response = await options.fetch(url, {
      method,
      headers,
      body: body ?? null,
      // RFC 9700 §4.11: a redirect could carry the client secret or a token elsewhere.
      redirect: 'manual',
      signal: options.signal,
    })
    const { status } = response
    const bytes = await readBytes(response)
    return new Response(NULL_BODY.has(status) ? null : bytes, { status, headers: response.headers })
  }
}

/** Parses a URL that may carry secrets. Throws TypeError without TLS (RFC 6749 §3.1, §3.2). */
export function requireSecure(address: string, allowInsecureHttp: boolean): URL {
  const url = new URL(address)
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && allowInsecureHttp && isLoopbackHost(url.hostname)) return url
  throw new TypeError('An identity provider is reached over https (http only on this machine)')
}

async function readBytes(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new TypeError('The answer of the identity provider is too large')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks, size))
}

/** Whether the two differ only by one trailing slash. */
export function differsBySlash(one: string, other: string): boolean {
  return one === `${other}/` || other === `${one}/`
}
