/** Outgoing requests: direct, or via the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */

import type { KeyObject } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import type { Agent, Dispatcher } from 'undici'
import type { Fetch } from './provider-fetch.ts'

export interface OutgoingOptions {
  /** Proxy URLs with credentials, by the scheme of the request. */
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  /** Hosts that bypass the proxy, as in NO_PROXY. */
  readonly noProxy?: readonly string[]
}

export interface OutgoingProxy {
  readonly origin: string
  /** The value of `Proxy-Authorization`, if the proxy has credentials. */
  readonly authorization: string | undefined
}

export type Outgoing = ReturnType<typeof createOutgoing>

export type PoolOptions = Pick<
  Agent.Options,
  'connect' | 'headersTimeout' | 'bodyTimeout' | 'keepAliveTimeout'
>

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function createOutgoing(options: OutgoingOptions = {}) {
  const httpProxy = parseProxy(options.httpProxy)
  const httpsProxy = parseProxy(options.httpsProxy)
  const isDirect = createNoProxy(options.noProxy ?? [])

  /** The proxy for a URL; undefined for a direct request. */
  function proxyFor(url: URL): OutgoingProxy | undefined {
    const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy
    return proxy === undefined || isDirect(url) ? undefined : proxy
  }
  const isProxied = httpProxy !== undefined || httpsProxy !== undefined
  /** Opens a connection pool. Loads undici: nothing that runs at start may call it. */
  const openDispatcher = async (given: PoolOptions): Promise<Dispatcher> =>
    (await import('./dispatchers.ts')).createDispatcher(given, isProxied ? proxyFor : undefined)
  /** The platform's own `fetch` without a proxy. */
  const fetch: Fetch = isProxied
    ? // Idle connections close automatically.
      fetchBy(() => openDispatcher({ keepAliveTimeout: 1000 }))
    : (...given) => globalThis.fetch(...given)
  return { proxyFor, fetch, openDispatcher }
}

/** A `fetch` with its own connection pool, opened at the first use. */
function fetchBy(open: () => Promise<Dispatcher>): Fetch {
  let opening: Promise<Fetch> | undefined
  const load = async () => {
    const [{ fetchThrough }, dispatcher] = await Promise.all([import('./dispatchers.ts'), open()])
    return fetchThrough(dispatcher)
  }
  return async (...given) => {
    opening ??= load()
    return (await opening)(...given)
  }
}

function parseProxy(address: string | undefined): OutgoingProxy | undefined {
  if (address === undefined) return undefined
  const { origin, username, password } = new URL(address)
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization =
    credentials === ':' ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  return { origin, authorization }
}

/**
 * Entries are hosts (subdomains included) with or without a port, or networks in CIDR notation for
 * literal addresses; `*` matches every host.
 */
function createNoProxy(entries: readonly string[]): (url: URL) => boolean {
  const rules = entries.map((entry) => {
    if (ipaddr.isValidCIDR(entry)) return { network: ipaddr.parseCIDR(entry) }
    const [, host = entry, port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? []
    return { host: host.replace(/^\*?\./, '').replace(/^\[|\]$/g, ''), port }
  })
  return ({ protocol, hostname, port }) => {
    const host = hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase()
    const actualPort = port || DEFAULT_PORTS[protocol]
    return rules.some((rule) => {
      if ('network' in rule) return isInNetwork(host, rule.network)
      if (rule.port !== undefined && rule.port !== actualPort) return false
      return rule.host === '*' || host === rule.host || host.endsWith(`.${rule.host}`)
    })
  }
}

function isInNetwork(host: string, network: ReturnType<typeof ipaddr.parseCIDR>): boolean {
  if (!ipaddr.isValid(host)) return false
  const address = ipaddr.process(host)
  return address.kind() === network[0].kind() && address.match(network)
}

interface TlsFetchOptions {
  /** PEM, including intermediate certificates. */
  readonly certificate: string
  readonly key: KeyObject
  /** Trusted instead of the system's certificate authorities, in PEM. */
  readonly ca?: string
}

/** A `fetch` with a client certificate (RFC 8705, 2). Idle connections close automatically. */
export function createTlsFetch(
  { certificate: cert, key, ca }: TlsFetchOptions,
  outgoing: Outgoing = createOutgoing(),
): Fetch {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const connect = { cert, key: pem, ...(ca !== undefined && { ca }) }
  return fetchBy(() => outgoing.openDispatcher({ connect, keepAliveTimeout: 1000 }))
}
