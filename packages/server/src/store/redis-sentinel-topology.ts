/** Redis Sentinel: discovers the current master. */

import { ErrorReply } from '@redis/client'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { type AskRedis, RedisTopology, type TopologyOptions } from './redis-topology.ts'

/**
 * After a planned failover, Sentinels demote the old master only seconds later. Until then it
 * acknowledges writes that are lost, and serves stale reads.
 */
const DISCOVER_EVERY_MS = 500

export interface SentinelOptions extends TopologyOptions {
  /** The name by which the Sentinels know the master. */
  readonly masterName: string
  /** Queries a data server, with its own credentials; `ask` queries a Sentinel. */
  readonly askServer: AskRedis
}

export class RedisSentinelTopology extends RedisTopology {
  readonly #masterName: string
  readonly #askServer: AskRedis
  #master: RedisEndpoint | undefined

  constructor(options: SentinelOptions) {
    super(options, DISCOVER_EVERY_MS)
    this.#masterName = options.masterName
    this.#askServer = options.askServer
  }

  ownerOf(): RedisEndpoint | undefined {
    return this.#master
  }

  owners(): readonly RedisEndpoint[] {
    return this.#master === undefined ? [] : [this.#master]
  }

  isComplete(): boolean {
    return this.#master !== undefined
  }

  moved(): void {
    this.suspect()
  }

  /** Takes the master that most Sentinels name: a partitioned one may have missed a failover. */
  protected async discover(): Promise<void> {
    const answers = await Promise.allSettled(this.seeds.map((seed) => this.#askSentinel(seed)))
    const named = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    const master = mostNamed(named)
    if (master === undefined) throw reasonOf(answers)
    if (master === this.#master) return
    await this.#checkRole(master)
    this.#master = master
    this.changed()
  }

  async #askSentinel(sentinel: RedisEndpoint): Promise<RedisEndpoint> {
    const args = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#masterName]
    const reply = await this.ask(sentinel, args)
    if (!Array.isArray(reply)) throw new ErrorReply('ERR No such master with that name')
    return this.known({ host: String(reply[0]), port: Number(reply[1]) })
  }

  /** Sentinels name a new master before its promotion, and for a while still the old one. */
  async #checkRole(master: RedisEndpoint): Promise<void> {
    const reply = await this.#askServer(master, ['ROLE']).catch((error: unknown) => {
      // A user without permission for ROLE, or a proxy.
      if (error instanceof ErrorReply && /^(?:NOPERM|ERR unknown)/.test(error.message)) return []
      throw error
    })
    const [role = 'master'] = reply as [string?]
    if (role !== 'master') throw new ErrorReply('READONLY The master is not promoted yet')
  }
}

function mostNamed(named: readonly RedisEndpoint[]): RedisEndpoint | undefined {
  const votes = new Map<RedisEndpoint, number>()
  for (const each of named) votes.set(each, (votes.get(each) ?? 0) + 1)
  const most = Math.max(...votes.values())
  return named.find((each) => votes.get(each) === most)
}

/** Prefers an error reply, which explains more than a connection failure. */
function reasonOf(answers: readonly PromiseSettledResult<unknown>[]): unknown {
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  return reasons.find((reason) => reason instanceof ErrorReply) ?? reasons[0]
}
