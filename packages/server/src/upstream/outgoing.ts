/** Outgoing requests: direct, or via the proxies of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */

import type { KeyObject } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { Agent, Dispatcher, fetch, ProxyAgent } from 'undici'
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

export interface Outgoing {
  /** The proxy for a URL; undefined for a direct request. */
  proxyFor(url: URL): OutgoingProxy | undefined
  /** The platform's own `fetch` without a proxy. */
  readonly fetch: Fetch
  createDispatcher(options: Pick<Agent.Options, (typeof AGENT_OPTIONS)[number]>): Dispatcher
}

const AGENT_OPTIONS = ['connect', 'headersTimeout', 'bodyTimeout', 'keepAliveTimeout'] as const

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function createOutgoing(options: OutgoingOptions = {}): Outgoing {
  const httpProxy = parseProxy(options.httpProxy)
  const httpsProxy = parseProxy(options.httpsProxy)
  const isDirect = createNoProxy(options.noProxy ?? [])

  function proxyFor(url: URL): OutgoingProxy | undefined {
    const proxy = url.protocol === 'https:' ? httpsProxy : httpProxy
    return proxy === undefined || isDirect(url) ? undefined : proxy
  }
  if (httpProxy === undefined && httpsProxy === undefined) {
    return {
      proxyFor,
      fetch: (...given) => globalThis.fetch(...given),
      createDispatcher: (given) => new Agent(given),
    }
  }
  const createDispatcher: Outgoing['createDispatcher'] = (given) =>
    new ProxiedDispatcher(proxyFor, given)
  // Idle connections close automatically.
  const dispatcher = createDispatcher({ keepAliveTimeout: 1000 })
  return { proxyFor, createDispatcher, fetch: fetchBy(dispatcher) }
}

/** A `fetch` with its own connection pool: that of the platform's `fetch` cannot be configured. */
function fetchBy(dispatcher: Dispatcher): Fetch {
  return ((address: string | URL, init: object) =>
    fetch(address, { ...init, dispatcher })) as unknown as Fetch
}

/** Routes each request to the agent of its proxy. */
class ProxiedDispatcher extends Dispatcher {
  readonly #proxyFor: Outgoing['proxyFor']
  readonly #options: Parameters<Outgoing['createDispatcher']>[0]
  readonly #agents = new Map<string, Dispatcher>()

  constructor(
    proxyFor: Outgoing['proxyFor'],
    options: Parameters<Outgoing['createDispatcher']>[0],
  ) {
    super()
    this.#proxyFor = proxyFor
    this.#options = options
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    const proxy = this.#proxyFor(new URL(String(options.origin)))
    const key = proxy?.origin ?? ''
    const agent = this.#agents.get(key) ?? this.#createAgent(proxy)
    this.#agents.set(key, agent)
    return agent.dispatch(options, handler)
  }

  #createAgent(proxy: OutgoingProxy | undefined): Dispatcher {
    if (proxy === undefined) return new Agent(this.#options)
    const { connect, ...rest } = this.#options
    const requestTls = typeof connect === 'object' ? connect : {}
    return new ProxyAgent({
      ...rest,
      uri: proxy.origin,
      requestTls,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
    })
  }

  override close(): Promise<void>
  override close(callback: () => void): void
  override close(callback?: () => void): Promise<void> | void {
    const closed = Promise.all([...this.#agents.values()].map((agent) => agent.close()))
    return settled(closed, callback)
  }

  override destroy(...given: unknown[]): Promise<void> {
    const [error = null] = given.filter((each) => each instanceof Error)
    const destroyed = Promise.all([...this.#agents.values()].map((agent) => agent.destroy(error)))
    const callback = given.find((each) => typeof each === 'function') as (() => void) | undefined
    return settled(destroyed, callback)
  }
}

async function settled(work: Promise<unknown>, callback?: () => void): Promise<void> {
  await work
  callback?.()
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
  return fetchBy(outgoing.createDispatcher({ connect, keepAliveTimeout: 1000 }))
}
