/** Looks up host names of Redis servers, few at a time. */

import dns from 'node:dns'
import type { LookupFunction } from 'node:net'

/** Half of the default number of threads in libuv's pool. */
const MOST_AT_ONCE = 2

type Callback = Parameters<LookupFunction>[2]

/**
 * Coalesces lookups of one name, and queues others. A lookup takes a thread of libuv's pool and cannot
 * be cancelled: while the resolver hangs, reconnects and discoveries would take all of them, and file
 * writes and the verification of signatures, which need them, too, would wait.
 */
export function createLookup(lookup: LookupFunction): LookupFunction {
  /** By name and options, of lookups that run or are queued. */
  const callbacksOf = new Map<string, Callback[]>()
  const queued: (() => void)[] = []
  let running = 0

  function end(key: string): readonly Callback[] {
    const callbacks = callbacksOf.get(key) ?? []
    callbacksOf.delete(key)
    running -= 1
    queued.shift()?.()
    return callbacks
  }

  return (hostname, options, callback) => {
    const key = `${hostname} ${JSON.stringify(options)}`
    const callbacks = callbacksOf.get(key)
    if (callbacks !== undefined) {
      callbacks.push(callback)
      return
    }
    callbacksOf.set(key, [callback])
    const start = () => {
      running += 1
      lookup(hostname, options, (...outcome) => {
        for (const each of end(key)) each(...outcome)
      })
    }
    if (running < MOST_AT_ONCE) start()
    else queued.push(start)
  }
}

/** Of this process, whose connections share one pool of threads. */
export const lookupRedis = createLookup((...args) => dns.lookup(...args))
