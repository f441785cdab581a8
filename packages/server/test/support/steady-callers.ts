/** Official clients with tokens, who call without end while something happens to the servers that hold their sessions. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { CallResult } from './callers.ts'
import { errorFacts, structured } from './clients.ts'
import { type ConnectFull, FULL_CLIENTS } from './full-clients.ts'
import { claimsOf, createOAuthClient, type OAuthClient, type Tokens } from './oauth-client.ts'

/** What one caller met while it was watched. */
export interface CallerReport {
  readonly name: string
  /** The hash tags of all keys that its calls need. */
  readonly tags: readonly string[]
  readonly calls: number
  /**
   * What failed calls were answered with: `503 after 1` is 503 with `Retry-After: 1`, `unavailable` the
   * same in a stream.
   */
  readonly faults: readonly string[]
  /** Acknowledged writes that a later call did not find. */
  readonly lost: readonly string[]
  /** The longest time from one success to the next. */
  readonly longestMs: number
}

export interface SteadyCallers {
  /** The hash tags of all callers. */
  readonly tags: readonly string[]
  /** Starts to call; the function that comes back ends that. */
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

/** Everything that callers may be refused with while the servers of their sessions are unavailable. */
export const UNAVAILABLE = /^503 after \d+$|^unavailable$/

/** Connects callers of each kind, each with a session of its own, and one that refreshes tokens. */
export async function connectCallers(
  url: string,
  { ofEachKind = 5, pauseMs = 200 }: CallersOptions = {},
): Promise<SteadyCallers> {
  const oauth = await createOAuthClient(url)
  const callers = [await startRefreshing(oauth)]
  for (const [kind, connect] of Object.entries(FULL_CLIENTS)) {
    for (let number = 0; number < ofEachKind; number += 1) {
      const name = `${kind} ${number}`
      callers.push(await connectCaller(name, connect, url, await oauth.connect()))
    }
  }
  return {
    tags: callers.flatMap(({ tags }) => tags),
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

/** Each call keeps a new text with the session, and checks the one before. */
async function connectCaller(
  name: string,
  connect: ConnectFull,
  url: string,
  tokens: Tokens,
): Promise<Caller> {
  const tags = [`{${claimsOf(tokens.access_token).session_id}}`]
  const refusals: string[] = []
  const send: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('authorization', `Bearer ${tokens.access_token}`)
    const response = await fetch(input, { ...init, headers })
    const id = response.headers.get('mcp-session-id')
    if (id !== null && tags.length === 1) tags.push(`{${id}}`)
    if (!response.ok && init?.method === 'POST') refusals.push(refusalOf(response))
    return response
  }
  const client = await connect(url, name, send)
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

/** What a session may know: the last acknowledged text, or one whose call failed later. */
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

/** A tool whose store fails during the call says so in its result. */
function faultOf(result: CallResult): string | undefined {
  if (result.isError !== true) return undefined
  const { code, retryAfterSeconds } = errorFacts(result)
  return code === 'unavailable' ? `503 after ${retryAfterSeconds}` : `error ${code}`
}

/** A call that has become a stream has its failure in the stream. */
function faultIn(error: unknown): string {
  const { code } = ((error as { data?: unknown }).data ?? {}) as { code?: string }
  return code === 'unavailable' ? 'unavailable' : String(error)
}

/** Refreshes its tokens again and again; what is refused is sent again, as clients do. */
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
