/** Redis Cluster: the owner of each hash slot. */

import { ErrorReply } from '@redis/client'
import type { RedisEndpoint } from '../config/redis-url.ts'
import { NO_HOST_NAME, SLOT_COUNT, slotOf } from './redis-slots.ts'
import { RedisTopology, type TopologyOptions } from './redis-topology.ts'

/** Redirects report most changes sooner; the interval bounds the rest. */
const DISCOVER_EVERY_MS = 5000
/** Nodes queried concurrently: two that agree decide, so that the third may hang or be outdated. */
const ASK_AT_ONCE = 3

/** Other nodes have to answer first. */
const UNDECIDED = Symbol('undecided')

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

  /**
   * Takes the table that most nodes have: a partitioned node's is outdated, and names a master that
   * was replaced. With as many votes for two tables, or one answer alone, the next nodes decide. If two
   * are equal when all were asked, the change is still spreading: keeps the known owners, of which
   * redirects are the newest, and asks again soon. Begins with another node each time (round-robin),
   * so that each is asked. Two nodes must agree that slots have no owner any longer: one that joins
   * knows fewer slots.
   */
  protected async discover(): Promise<void> {
    const candidates = unique([...this.#owners, ...this.seeds])
    this.#turn = (this.#turn + 1) % candidates.length
    const nodes = [...candidates.slice(this.#turn), ...candidates.slice(0, this.#turn)]
    const tables: SlotTable[] = []
    const failures: unknown[] = []
    for (let at = 0; at < nodes.length; at += ASK_AT_ONCE) {
      const some = nodes.slice(at, at + ASK_AT_ONCE)
      const decided = await this.#poll(some, (at + some.length) / 2, tables, failures)
      const isLast = at + some.length === nodes.length
      const table = decided ?? mostVoted(tables, isLast ? 1 : 2)
      if (table !== undefined && this.#isCredible(table, tables)) return this.#keep(table)
    }
    // An error reply explains more than a connection failure.
    const failure = failures.find((error) => error instanceof ErrorReply) ?? failures[0]
    if (tables[0] === undefined) throw failure
    if (!tables.some((table) => this.#isCredible(table, tables))) throw knowsFewer()
    if (this.#slots.length === 0) this.#keep(tables[0])
    this.suspect()
  }

  /**
   * Adds the tables of some nodes. Returns the first of all if it changes nothing, or one as soon as it
   * has more votes than `half` of the nodes asked; undefined if no table has.
   */
  async #poll(
    nodes: readonly RedisEndpoint[],
    half: number,
    tables: SlotTable[],
    failures: unknown[],
  ): Promise<SlotTable | undefined> {
    const asking = nodes.map(async (node) => {
      const table = await this.#askFor(node)
      tables.push(table)
      const isUnchanged = tables.length === 1 && isSame(table, this.#slots)
      const isDecided = isUnchanged || votesFor(table, tables) > half
      if (isDecided && this.#isCredible(table, tables)) return table
      throw UNDECIDED
    })
    try {
      return await Promise.any(asking)
    } catch (error) {
      const { errors } = error as AggregateError
      failures.push(...errors.filter((each) => each !== UNDECIDED))
      return undefined
    }
  }

  async #askFor(endpoint: RedisEndpoint): Promise<SlotTable> {
    const reply = (await this.ask(endpoint, ['CLUSTER', 'SLOTS'])) as SlotsReply
    const table = this.#toTable(reply, endpoint)
    if (covered(table) === 0) throw knowsFewer()
    return table
  }

  #isCredible(table: SlotTable, tables: readonly SlotTable[]): boolean {
    return covered(table) >= covered(this.#slots) || votesFor(table, tables) > 1
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

function knowsFewer(): ErrorReply {
  return new ErrorReply('CLUSTERDOWN The node does not know the owners of all slots')
}

function covered(table: SlotTable): number {
  return table.reduce((count, owner) => (owner === undefined ? count : count + 1), 0)
}

function votesFor(table: SlotTable, tables: readonly SlotTable[]): number {
  return tables.filter((each) => isSame(each, table)).length
}

/** Undefined if two different tables have as many votes, or none has `least`. */
function mostVoted(tables: readonly SlotTable[], least: number): SlotTable | undefined {
  const votes = tables.map((table) => votesFor(table, tables))
  const most = Math.max(...votes)
  const [first, ...others] = tables.filter((_, at) => votes[at] === most)
  if (first === undefined || most < least) return undefined
  return others.every((each) => isSame(each, first)) ? first : undefined
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
