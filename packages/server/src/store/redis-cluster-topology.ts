/** Redis Cluster: the owner of each hash slot. */

import { ErrorReply } from '@redis/client'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { NO_HOST_NAME, SLOT_COUNT, slotOf } from './redis-slots.ts'
import { RedisTopology, type TopologyOptions } from './redis-topology.ts'

/** Redirects report most changes sooner; the interval bounds the rest. */
const DISCOVER_EVERY_MS = 5000
/** Nodes queried concurrently, so that a hung one does not delay discovery. */
const ASK_AT_ONCE = 3

type SlotTable = readonly (RedisEndpoint | undefined)[]

export class RedisClusterTopology extends RedisTopology {
  #slots: (RedisEndpoint | undefined)[] = []
  #owners: readonly RedisEndpoint[] = []
  #isComplete = false
  #turn = 0

  constructor(options: TopologyOptions) {
    super(options, DISCOVER_EVERY_MS)
  }

  ownerOf(key: string): RedisEndpoint | undefined {
    return this.#slots[slotOf(key)]
  }

  owners(): readonly RedisEndpoint[] {
    return this.#owners
  }

  isComplete(): boolean {
    return this.#isComplete
  }

  moved(slot: number, to: RedisEndpoint): void {
    if (slot >= SLOT_COUNT) return
    const owner = this.known(to)
    this.#slots[slot] = owner
    if (!this.#owners.includes(owner)) {
      this.#owners = [...this.#owners, owner]
      this.changed()
    }
    this.suspect()
  }

  /** Begins with another node each time (round-robin), so that each is asked. */
  protected async discover(): Promise<void> {
    const candidates = unique([...this.#owners, ...this.seeds])
    this.#turn = (this.#turn + 1) % candidates.length
    const asked = [...candidates.slice(this.#turn), ...candidates.slice(0, this.#turn)]
    const failures: unknown[] = []
    for (let at = 0; at < asked.length; at += ASK_AT_ONCE) {
      try {
        const some = asked.slice(at, at + ASK_AT_ONCE).map((endpoint) => this.#askFor(endpoint))
        return this.#keep(await this.#agreed(some))
      } catch (error) {
        failures.push(...(error instanceof AggregateError ? error.errors : [error]))
      }
    }
    // An error reply explains more than a connection failure.
    throw failures.find((error) => error instanceof ErrorReply) ?? failures[0]
  }

  /**
   * The first table if it changes nothing. Otherwise the one that most nodes have: a partitioned
   * node's is outdated, and names a master that was replaced.
   * @throws AggregateError if no node has one
   */
  async #agreed(asking: readonly Promise<SlotTable>[]): Promise<SlotTable> {
    const first = await Promise.any(asking)
    if (isSame(first, this.#slots)) return first
    const answers = await Promise.allSettled(asking)
    const tables = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const votesFor = (table: SlotTable) => tables.filter((each) => isSame(each, table)).length
    const most = Math.max(...tables.map(votesFor))
    const named = tables.filter((table) => votesFor(table) === most)
    return named.find((table) => isSame(table, this.#slots)) ?? named[0] ?? first
  }

  async #askFor(endpoint: RedisEndpoint): Promise<SlotTable> {
    const reply = (await this.ask(endpoint, ['CLUSTER', 'SLOTS'])) as SlotsReply
    const table = this.#toTable(reply, endpoint)
    const count = covered(table)
    // Nodes that join, or are partitioned, know fewer slots.
    if (count === 0 || (count < SLOT_COUNT && count < covered(this.#slots))) {
      throw new ErrorReply('CLUSTERDOWN The node does not know the owners of all slots')
    }
    return table
  }

  #toTable(reply: SlotsReply, asked: RedisEndpoint): SlotTable {
    const table: (RedisEndpoint | undefined)[] = Array.from({ length: SLOT_COUNT })
    for (const [first, last, master] of reply) {
      const [, port] = master
      table.fill(this.known({ host: hostOf(master, asked), port }), first, last + 1)
    }
    return table
  }

  #keep(table: SlotTable): void {
    this.#slots = [...table]
    this.#owners = unique(table.filter((owner) => owner !== undefined))
    this.#isComplete = covered(table) === SLOT_COUNT
    this.changed()
  }
}

/**
 * A node without the host name that it should announce adds its IP address. A node that announces no
 * host has the queried one, whatever else it adds: only that is known to be reachable.
 * Source: https://redis.io/docs/latest/commands/cluster-slots/
 */
function hostOf([announced, , , metadata = []]: MasterReply, asked: RedisEndpoint): string {
  if (announced !== NO_HOST_NAME) return announced || asked.host
  const at = metadata.indexOf('ip')
  return (at === -1 ? undefined : metadata[at + 1]) ?? asked.host
}

function covered(table: SlotTable): number {
  return table.reduce((count, owner) => (owner === undefined ? count : count + 1), 0)
}

function isSame(one: SlotTable, other: SlotTable): boolean {
  return one.length === other.length && one.every((owner, slot) => owner === other[slot])
}

function unique(endpoints: readonly RedisEndpoint[]): readonly RedisEndpoint[] {
  return [...new Set(endpoints)]
}

type SlotsReply = readonly (readonly [first: number, last: number, master: MasterReply])[]

/** The metadata are names and values in turn, since Redis 7. */
type MasterReply = readonly [
  host: string | null,
  port: number,
  id?: string,
  metadata?: readonly string[],
]
