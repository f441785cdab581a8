/**
 * Clients, people and tools that an operator has blocked (kill switch): one small document, which
 * each node reads again once its copy is older than 800 ms, independent of messages between nodes.
 */

import { ToolError } from '../engine/tool-error.ts'
import { AppError, storeUnavailable } from '../errors.ts'
import { withDeadline } from '../store/command-deadline.ts'
import type { Store } from '../store/port.ts'
import { personKey } from './record.ts'

export type BlockedKind = 'client' | 'person' | 'tool'

export interface Block {
  readonly kind: BlockedKind
  /** A client id, the key of a person (`personKey`), or the name of a tool. */
  readonly value: string
  readonly reason: string
  /** The operator. */
  readonly by: string
  /** Unix time in milliseconds. */
  readonly at: number
}

/** The blocked values, by kind. */
export interface BlockList {
  readonly clients: ReadonlySet<string>
  readonly people: ReadonlySet<string>
  readonly tools: ReadonlySet<string>
}

type BlocksDocument = { readonly entries: readonly Block[] }

export const NO_BLOCKS: BlockList = { clients: new Set(), people: new Set(), tools: new Set() }

const KEY = '{access}:blocks'
/** The store has no documents without expiry. */
const TTL_SECONDS = 10 * 365 * 24 * 60 * 60
/** With the read, below a second, also on a node that missed the broadcast. */
const FRESH_MS = 800
/** Calls that need no store are served while it hangs: with the last list, after this time. */
const PATIENCE_MS = 250
/** Bounds the document, which every busy node reads about once a second. */
const MOST_BLOCKS = 1000
const MOST_ATTEMPTS = 20

export type Blocks = ReturnType<typeof createBlocks>

interface BlocksDeps {
  readonly store: Pick<Store, 'get'>
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

export function createBlocks({ store, monotonicNow }: BlocksDeps) {
  let known: BlockList | undefined
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<BlockList> | undefined

  async function read(): Promise<BlockList> {
    const document = store.get<BlocksDocument>(KEY)
    try {
      const read = known && withDeadline(document, PATIENCE_MS, storeUnavailable)
      known = listOf(await (read ?? document))
    } catch (error) {
      if (known === undefined) throw error
    }
    return known
  }

  function refresh(): Promise<BlockList> {
    readAt = monotonicNow()
    const started = read().finally(() => {
      if (reading === started) reading = undefined
    })
    reading = started
    return started
  }

  const isFresh = () => monotonicNow() - readAt < FRESH_MS

  return {
    /** Reads the list now. */
    refresh,
    /** The list without a read; undefined if it is older than 800 ms. */
    fresh: (): BlockList | undefined => (isFresh() && reading === undefined ? known : undefined),
    /**
     * The list, at most 800 ms old; `NO_BLOCKS` if it is empty. While the store is
     * unavailable, the last list.
     * @throws AppError `unavailable` when the store is unavailable, and was since the start
     */
    current: (): BlockList | Promise<BlockList> =>
      (isFresh() ? (reading ?? known) : undefined) ?? refresh(),
  }
}

/** Reads and changes the list, for the command line. */
export function createBlockEditor({ store }: { readonly store: Store }) {
  async function change(next: (entries: readonly Block[]) => readonly Block[]): Promise<boolean> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const document = await store.get<BlocksDocument>(KEY)
      const before = document?.entries ?? []
      const entries = next(before)
      if (entries === before) return false
      if (entries.length > MOST_BLOCKS) {
        throw new AppError('conflict', `The list of blocks is full: ${MOST_BLOCKS} entries.`)
      }
      const options = { ifRev: document?.rev ?? 0, ttlSeconds: TTL_SECONDS }
      const isWritten =
        document === undefined
          ? await store.create(KEY, { entries }, TTL_SECONDS)
          : (await store.patch(KEY, { entries }, options)).outcome === 'written'
      if (isWritten) return true
    }
    throw new AppError(
      'conflict',
      'Too many concurrent changes of the list of blocks. Run the command again.',
    )
  }

  const isSame = (some: Pick<Block, 'kind' | 'value'>, { kind, value }: Block) =>
    some.kind === kind && some.value === value

  return {
    list: async () => (await store.get<BlocksDocument>(KEY))?.entries ?? [],
    /** Adds or replaces an entry. */
    async block(block: Block): Promise<void> {
      await change((entries) => [...entries.filter((each) => !isSame(block, each)), block])
    },
    /** False if it was not blocked. */
    unblock: (target: Pick<Block, 'kind' | 'value'>): Promise<boolean> =>
      change((entries) => {
        const left = entries.filter((each) => !isSame(target, each))
        return left.length === entries.length ? entries : left
      }),
  }
}

export interface BlockedCaller {
  readonly clientId: string
  readonly session?: { readonly owner?: string }
  /** The person whom a token or identity assertion names, and the issuer that does. */
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
}

/** Why a caller is refused; undefined if it is not. */
export function blockOf(
  { clients, people }: BlockList,
  { clientId, session, subject, issuer }: BlockedCaller,
): 'client' | 'person' | undefined {
  if (clients.has(clientId)) return 'client'
  if (people.size === 0) return undefined
  const isNamed = issuer !== undefined && subject !== undefined
  const named = isNamed ? personKey(issuer, subject) : undefined
  const isBlocked = [session?.owner, named].some((key) => key !== undefined && people.has(key))
  return isBlocked ? 'person' : undefined
}

/** The sentence for whoever is refused; it does not contain the operator's reason. */
export function blockedText(what: BlockedKind): string {
  return `The operator of this server has blocked this ${what}.`
}

/**
 * Refuses a session that is used without a token, if the person who has signed in is blocked.
 * @throws ToolError `forbidden`
 */
export async function refuseBlockedOwner(
  blocks: Pick<Blocks, 'current'>,
  session: { readonly owner?: string } | undefined,
): Promise<void> {
  if (session?.owner === undefined) return
  const { people } = await blocks.current()
  if (people.has(session.owner)) throw new ToolError(blockedText('person'), { code: 'forbidden' })
}

function listOf(document: BlocksDocument | undefined): BlockList {
  const { entries = [] } = document ?? {}
  if (entries.length === 0) return NO_BLOCKS
  const of = (kind: BlockedKind) =>
    new Set(entries.flatMap((each) => (each.kind === kind ? [each.value] : [])))
  return { clients: of('client'), people: of('person'), tools: of('tool') }
}

/** The check of the engine before a tool runs. */
export function refuseBlockedTools(blocks: Blocks) {
  function refuse(tool: string, { tools }: BlockList): undefined {
    if (!tools.has(tool)) return undefined
    throw new ToolError(blockedText('tool'), { code: 'forbidden' })
  }

  return (tool: string): Promise<void> | undefined => {
    const list = blocks.current()
    return list instanceof Promise ? list.then((read) => refuse(tool, read)) : refuse(tool, list)
  }
}
