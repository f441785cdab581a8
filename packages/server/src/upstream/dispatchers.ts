/** Connection pools of undici, direct or through proxies. Loaded with the first request. */

import { Agent, Dispatcher, fetch, ProxyAgent } from 'undici'
import type { Outgoing, OutgoingProxy, PoolOptions } from './outgoing.ts'
import type { Fetch } from './provider-fetch.ts'

/** @param proxyFor undefined for a pool that uses no proxy */
export function createDispatcher(
  options: PoolOptions,
  proxyFor: Outgoing['proxyFor'] | undefined,
): Dispatcher {
  return proxyFor === undefined ? new Agent(options) : new ProxiedDispatcher(proxyFor, options)
}

/** A `fetch` by the given pool: that of the platform's `fetch` cannot be configured. */
export function fetchThrough(dispatcher: Dispatcher): Fetch {
  return ((address: string | URL, init: object) =>
    fetch(address, { ...init, dispatcher })) as unknown as Fetch
}

/** Routes each request to the agent of its proxy. */
class ProxiedDispatcher extends Dispatcher {
  readonly #proxyFor: Outgoing['proxyFor']
  readonly #options: PoolOptions
  readonly #agents = new Map<string, Dispatcher>()

  constructor(proxyFor: Outgoing['proxyFor'], options: PoolOptions) {
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
