/** Official clients with tokens, which call continuously during an event on the servers of their sessions. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { CallResult } from './callers.ts'
import { errorFacts, structured } from './clients.ts'
import { type ConnectFull, FULL_CLIENTS } from './full-clients.ts'
import { claimsOf, createOAuthClient, type OAuthClient, type Tokens } from './oauth-client.ts'
import type { ThreeNodes } from './three-nodes.ts'

/** The observations of one caller. */
export interface CallerReport {
  readonly name: string
  /** The hash tags of all keys that its calls need. */
  readonly tags: readonly string[]
  readonly calls: number
  /**
   * The responses of failed calls: `503 after 1` is 503 with `Retry-After: 1`, `unavailable` the
   * same in a stream.
   */
  readonly faults: readonly string[]
  /** Acknowledged writes that a later call did not find. */
  readonly lost: readonly string[]
  /** The longest time from one success to the next. */
  readonly longestMs: number
}

export interface SteadyCallers {
  /** The hash tags of the keys of each caller that has a session. */
  readonly tags: readonly (readonly string[])[]
  /** Starts to call; the returned function stops it. */
  start(): () => Promise<readonly CallerReport[]>
  close(): Promise<void>
}

export interface CallersOptions {
  readonly ofEachKind?: number
  readonly pauseMs?: number
}

interface Caller {
  readonly name: string
  readonly tags: readonly string[]
  /** Undefined for a success. */
  readonly call: () => Promise<string | undefined>
  readonly lost: string[]
  readonly close: () => Promise<void>
}

/** The permitted failures while the servers of the sessions are unavailable. */
export const UNAVAILABLE = /^503 after \d+$|^unavailable$/

/** Connects callers of each kind, each with its own session, and one that refreshes tokens. */
export async function connectCallers(
  { url, urls }: Pick<ThreeNodes, 'url' | 'urls'>,
  { ofEachKind = 4, pauseMs = 400 }: CallersOptions = {},
): Promise<SteadyCallers> {
  const oauth = await createOAuthClient(url, { nodes: urls })
  const connectKind = async ([kind, connect]: [string, ConnectFull]) => {
    const connected: Caller[] = []
    // In sequence: concurrent connects could time out on a busy machine.
    for (let number = 0; number < ofEachKind; number += 1) {
      const tokens = await oauth.connect()
      connected.push(await connectCaller(`${kind} ${number}`, connect, urls, tokens))
    }
    return connected
  }
  const ofKinds = await Promise.all(Object.entries(FULL_CLIENTS).map(connectKind))
  const callers = [...ofKinds.flat(), await startRefreshing(oauth)]
  return {
    tags: callers.map(({ tags }) => tags).filter(({ length }) => length > 0),
    start() {
      const stopping = new AbortController()
      const running = callers.map((caller) => repeat(caller, pauseMs, stopping.signal))
      return () => {
        stopping.abort()
        return Promise.all(running)
      }
    },
    close: async () => void (await Promise.all(callers.map(({ close }) => close()))),
  }
}

async function repeat(
  { name, tags, call, lost }: Caller,
  pauseMs: number,
  stopping: AbortSignal,
): Promise<CallerReport> {
  const faults: string[] = []
  const lostBefore = lost.length
  let [calls, longestMs, succeededAt] = [0, 0, performance.now()]
  while (!stopping.aborted) {
    const fault = await call()
    calls += 1
    const now = performance.now()
    if (fault !== undefined) faults.push(fault)
    else {
      longestMs = Math.max(longestMs, now - succeededAt)
      succeededAt = now
    }
    await sleep(pauseMs)
  }
  longestMs = Math.max(longestMs, performance.now() - succeededAt)
  return { name, tags, calls, faults, lost: lost.slice(lostBefore), longestMs }
}

/** Each call stores a new text in the session and checks the previous one; requests alternate between the nodes. */
async function connectCaller(
  name: string,
  connect: ConnectFull,
  urls: readonly string[],
  tokens: Tokens,
): Promise<Caller> {
  const tags = [`{${claimsOf(tokens.access_token).session_id}}`]
  const refusals: string[] = []
  let turn = 0
  const send: typeof fetch = async (_, init) => {
    const headers = new Headers(init?.headers)
    headers.set('authorization', `Bearer ${tokens.access_token}`)
    turn += 1
    const address = new URL('/mcp', urls[turn % urls.length])
    const response = await fetch(address, { ...init, headers })
    const id = response.headers.get('mcp-session-id')
    if (id !== null && tags.length === 1) tags.push(`{${id}}`)
    if (!response.ok && init?.method === 'POST') refusals.push(refusalOf(response))
    return response
  }
  const client = await connect(urls[0] ?? '', name, send)
  const memory = createMemory()
  return {
    ...{ name, tags, lost: memory.lost, close: client.close },
    async call() {
      refusals.length = 0
      const text = memory.next()
      try {
        const result = await client.call('remember', { text })
        const fault = faultOf(result)
        if (fault === undefined) memory.kept(text, structured<{ before: string }>(result).before)
        return fault
      } catch (error) {
        return refusals[0] ?? faultIn(error)
      }
    },
  }
}

/** The permitted values of a session: the last acknowledged text, or one of a call that failed later. */
function createMemory() {
  const lost: string[] = []
  let possible = new Set([''])
  let count = 0
  return {
    lost,
    next(): string {
      count += 1
      const text = String(count)
      possible.add(text)
      return text
    },
    kept(text: string, before: string): void {
      if (before === text || !possible.has(before)) lost.push(`${before} before ${text}`)
      possible = new Set([text])
    },
  }
}

function refusalOf({ status, headers }: Response): string {
  return `${status} after ${headers.get('retry-after')}`
}

/** If the store fails during a call, the tool result has the error. */
function faultOf(result: CallResult): string | undefined {
  if (result.isError !== true) return undefined
  const { code, retryAfterSeconds } = errorFacts(result)
  return code === 'unavailable' ? `503 after ${retryAfterSeconds}` : `error ${code}`
}

/** A call that has become a stream reports its failure in the stream. */
function faultIn(error: unknown): string {
  const { code } = ((error as { data?: unknown }).data ?? {}) as { code?: string }
  return code === 'unavailable' ? 'unavailable' : String(error)
}

/** Refreshes its tokens continuously; repeats refused requests, as clients do. */
async function startRefreshing(oauth: OAuthClient): Promise<Caller> {
  let tokens = await oauth.connect()
  return {
    name: 'refreshes',
    tags: [],
    lost: [],
    async call() {
      const { status, headers, body } = await oauth.refresh(tokens.refresh_token)
      if (status === 200) tokens = body as unknown as Tokens
      return status === 200 ? undefined : `${status} after ${headers.get('retry-after')}`
    },
    close: async () => undefined,
  }
}
