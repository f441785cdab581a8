/** Follows streams on a dedicated connection with blocking reads, and recovers from every failure. */

import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorReply } from '@redis/client'
import { withDeadline } from './command-deadline.ts'
import { backoffMs, type RedisAddress, type RedisClient } from './redis-client.ts'
import { deadlineMissed, isTimeout, redirectOf, withoutArguments } from './redis-errors.ts'
import { readHello } from './redis-hello.ts'
import { RedisLink, type RedisLinkOptions } from './redis-link.ts'
import type { SendCommand } from './redis-stream-commands.ts'
import { createStreamReader, type FollowedStream } from './redis-stream-reader.ts'
import type { StoreLog } from './store-log.ts'
import type { Follower, OnEntry } from './streams.ts'

/** The servers of streams, which change at failovers and with the slots. */
export interface StreamHosts {
  /** The server that has the key; undefined until it is known. */
  addressOf(key: string): RedisAddress | undefined
  /** Calls the listener when servers have changed. Returns a function that unsubscribes. */
  onChange(listener: () => void): () => void
  /** Reports that a stream could not be read at its server. */
  suspect(): void
}

export interface RedisFollowerOptions
  extends Pick<RedisLinkOptions, 'timeoutMs' | 'log' | 'random' | 'monotonicNow'> {
  readonly hosts: StreamHosts
}

/** A hung server is detected after this time and one deadline. */
const BLOCK_MS = 2000
/** How often to check whether a stream was lost and restarted, with smaller ids. */
const LOCATE_EVERY_MS = 2000

export class RedisFollower implements Follower {
  readonly #options: RedisFollowerOptions
  readonly #log: StoreLog
  readonly #reader: ReturnType<typeof createStreamReader>
  readonly #host: ReturnType<typeof createHostLink>
  readonly #listening = new AbortController()
  readonly #running: Promise<void>
  #waking = new AbortController()
  #failures = 0
  #isRefused = false
  #ended = false

  constructor(streams: readonly FollowedStream[], onEntry: OnEntry, options: RedisFollowerOptions) {
    const log = aboutStreams(options.log, streams)
    this.#options = options
    this.#log = log
    this.#reader = createStreamReader(streams, onEntry, log)
    const name = streams[0]?.name ?? ''
    const { hosts, timeoutMs, random, monotonicNow } = options
    const linkOptions = { hosts, timeoutMs, log, random, monotonicNow }
    this.#host = createHostLink(name, linkOptions, () => this.#waking.abort())
    this.#running = this.#run()
  }

  /** Waits until it listens, at most one deadline. */
  listens(): Promise<void> {
    return pause(this.#options.timeoutMs, this.#listening.signal)
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#reader.stop()
    this.#listening.abort()
    this.#waking.abort()
    this.#host.end()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      this.#waking = new AbortController()
      const { link } = this.#host
      if (link === undefined) {
        await pause(this.#options.timeoutMs, this.#waking.signal)
        continue
      }
      const { client } = link
      try {
        await this.#readOn(client)
      } catch (error) {
        if (!this.#ended) await this.#recover(link, client, error)
      }
    }
  }

  /** Reads until a command fails; a silent connection fails by its deadline. */
  async #readOn(client: RedisClient): Promise<void> {
    const { timeoutMs, monotonicNow } = this.#options
    const send = (ms: number) => (args: readonly string[]) =>
      withDeadline<unknown>(client.sendCommand([...args]), ms, deadlineMissed)
    let locateAt = monotonicNow()
    while (!this.#ended) {
      if (monotonicNow() >= locateAt) {
        // First: a replica that lags behind would look like a stream that restarted.
        await refuseReplica(send(timeoutMs))
        await this.#reader.locate(send(timeoutMs))
        locateAt = monotonicNow() + LOCATE_EVERY_MS
        this.#listening.abort()
      }
      await this.#reader.next(send(BLOCK_MS + timeoutMs), BLOCK_MS)
      this.#failures = 0
      this.#isRefused = false
    }
  }

  /** Waits before the next attempt. */
  async #recover(link: RedisLink, client: RedisClient, error: unknown): Promise<void> {
    const { hosts, random } = this.#options
    // The loss of a connection has been reported already.
    if (isTimeout(error) || error instanceof ErrorReply) hosts.suspect()
    if (isTimeout(error)) link.giveUp(client, error)
    else link.failed(client, error)
    if (error instanceof ErrorReply && !this.#isRefused && redirectOf(error) === undefined) {
      this.#isRefused = true
      this.#log.warn({ err: withoutArguments(error) }, 'Redis refuses stream reads; retrying')
    }
    await pause(backoffMs(this.#failures, random), this.#waking.signal)
    this.#failures += 1
  }
}

/**
 * A replica may lag behind or be cut off, and leaves reads unrefused: without this, a follower would
 * stay at a server that lost its role, and its host name, to another.
 */
async function refuseReplica(send: SendCommand): Promise<void> {
  const reply = await send(['HELLO'], '').catch((error: unknown) => {
    // Proxies may lack it.
    if (!(error instanceof ErrorReply)) throw error
  })
  if (readHello(reply).isReplica) throw new ErrorReply('READONLY The server is a replica')
}

/** The connection to the server that has the stream, once that is known; follows the stream. */
function createHostLink(
  name: string,
  { hosts, timeoutMs, log, random, monotonicNow }: RedisFollowerOptions,
  onReady: () => void,
) {
  let link: RedisLink | undefined
  let current: RedisAddress | undefined

  function update(): void {
    const address = hosts.addressOf(name)
    if (address === undefined || isSame(address, current)) return
    current = address
    if (link !== undefined) {
      link.readdress()
      return
    }
    const onLost = () => hosts.suspect()
    link = new RedisLink({
      timeoutMs,
      log,
      random,
      monotonicNow,
      onReady,
      onLost,
      address: () => current ?? address,
    })
    onReady()
  }

  const stop = hosts.onChange(update)
  update()
  return {
    get link() {
      return link
    },
    end(): void {
      stop()
      link?.end().destroy()
    },
  }
}

function isSame(one: RedisAddress, other: RedisAddress | undefined): boolean {
  return other !== undefined && one.host === other.host && one.port === other.port
}

/** Waits for the time given, or until aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function aboutStreams(log: StoreLog, streams: readonly FollowedStream[]): StoreLog {
  const about = { streams: streams.map(({ key }) => key) }
  return {
    info: (fields, message) => log.info({ ...fields, ...about }, message),
    warn: (fields, message) => log.warn({ ...fields, ...about }, message),
  }
}
