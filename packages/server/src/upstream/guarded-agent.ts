/** SSRF guard for URLs from untrusted callers: connects to public internet addresses only. */

import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { Agent, buildConnector, Client } from 'undici'
import type { Outgoing, OutgoingProxy } from './outgoing.ts'
import { isPublicAddress, NotPublicError } from './public-address.ts'
import { createPublicResolver, type ResolveHost } from './public-resolver.ts'

export interface GuardedAgentOptions {
  /** All addresses of a host name; the system's name servers by default. */
  readonly resolve?: ResolveHost | undefined
  /** For development and tests: addresses of this machine. */
  readonly allowLoopback?: boolean
  /** Trusted instead of the system's certificate authorities, in PEM. */
  readonly ca?: string | undefined
  /** Timeout of the lookup and the connection. */
  readonly timeoutMs: number
  /** Prevents new connections once aborted. */
  readonly signal?: AbortSignal
  /** The proxy of a URL; it gets the checked IP address instead of the host name. */
  readonly proxyFor?: Outgoing['proxyFor'] | undefined
}

/**
 * An agent whose sockets connect only to addresses that were checked. Literal addresses skip the
 * lookup: the caller must check those.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const { ca, timeoutMs, proxyFor } = options
  const tls = { timeout: timeoutMs, ...(ca !== undefined && { ca }) }
  const lookup = guardedLookup(options)
  if (proxyFor === undefined) return new Agent({ connect: { ...tls, lookup } })
  const direct = buildConnector({ ...tls, lookup })
  const inTunnel = buildConnector(tls)
  return new Agent({
    connect(target, callback) {
      const { protocol, hostname, port } = target
      const proxy = proxyFor(new URL(`${protocol}//${hostname}${port && `:${port}`}`))
      if (proxy === undefined) return direct(target, callback)
      openTunnel(proxy, target, options).then(
        (socket) => {
          if (protocol === 'http:') callback(null, socket as never)
          else inTunnel({ ...target, httpSocket: socket as never }, callback)
        },
        (error: Error) => callback(error, null),
      )
    },
  })
}

/** CONNECT (RFC 9110, 9.3.6) to the checked address: the proxy must not resolve the name again. */
async function openTunnel(
  proxy: OutgoingProxy,
  { protocol, hostname, port }: buildConnector.Options,
  options: GuardedAgentOptions,
): Promise<Duplex> {
  const literal = hostname.replace(/^\[|\]$/g, '')
  const address = isIP(literal) ? literal : (await publicAddresses(hostname, options))[0].address
  options.signal?.throwIfAborted()
  const host = isIP(address) === 6 ? `[${address}]` : address
  const client = new Client(proxy.origin, { connectTimeout: options.timeoutMs })
  try {
    const { authorization } = proxy
    const { socket, statusCode } = await client.connect({
      path: `${host}:${port || (protocol === 'https:' ? '443' : '80')}`,
      headers: authorization === undefined ? {} : { 'proxy-authorization': authorization },
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    if (statusCode === 200) return socket
    socket.on('error', () => undefined).destroy()
    throw new Error(`The proxy answers ${statusCode}`)
  } finally {
    await client.close()
  }
}

/**
 * The addresses of a host. A single address that is not public rejects the host.
 * @throws NotPublicError, TypeError for a host without an address
 */
async function publicAddresses(
  hostname: string,
  { resolve = resolvePublic, allowLoopback = false }: GuardedAgentOptions,
): Promise<readonly [LookupAddress, ...LookupAddress[]]> {
  const [first, ...others] = await resolve(hostname)
  if (first === undefined) throw new TypeError('The host has no address')
  if (![first, ...others].every(({ address }) => isPublicAddress(address, allowLoopback))) {
    throw new NotPublicError()
  }
  return [first, ...others]
}

const resolvePublic = createPublicResolver()

/**
 * A lookup that checks the resolved addresses. The socket connects to exactly those, with no second
 * lookup (no TOCTOU), which prevents DNS rebinding.
 */
function guardedLookup(options: GuardedAgentOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    publicAddresses(hostname, options)
      .then(([first, ...others]) => {
        // Aborted meanwhile: must not connect any more.
        options.signal?.throwIfAborted()
        if (all) callback(null, [first, ...others])
        else callback(null, first.address, first.family)
      })
      .catch((error: unknown) => callback(error as NodeJS.ErrnoException, []))
  }
}
