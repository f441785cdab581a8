/** Decorates any store with metrics and traces of its operations. */

import type { Telemetry } from '../telemetry/telemetry.ts'
import { errorTypeOf, type SpanOptions } from '../telemetry/tracing.ts'
import type { Document, Store } from './port.ts'
import type { Streams } from './streams.ts'

type Observe = <T>(command: string, work: () => Promise<T>) => Promise<T>

/** `started` as `performance.now()` has it. */
type Timed = <T>(command: string, started: number, work: Promise<T>) => Promise<T>

/** `system` names the store in traces, such as `redis`. Keys are never recorded, since they contain ids. */
export function observeStore(store: Store, telemetry: Telemetry, system: string): Store {
  const timed = createTimed(telemetry)
  if (store.shards !== undefined) telemetry.metrics.storeShards(store.shards)
  const observe = createObserve(telemetry, system, timed)
  return {
    get: <T extends Document>(key: string) => observe('get', () => store.get<T>(key)),
    // Each call reads by it.
    getAll: telemetry.tracing
      ? (keys) => observe('get_all', () => store.getAll(keys))
      : (keys) => timed('get_all', performance.now(), store.getAll(keys)),
    set: (key, value, ttl) => observe('set', () => store.set(key, value, ttl)),
    create: (key, value, ttl) => observe('create', () => store.create(key, value, ttl)),
    patch: (key, changes, options) => observe('patch', () => store.patch(key, changes, options)),
    touch: (key, ttl) => observe('touch', () => store.touch(key, ttl)),
    take: <T extends Document>(key: string) => observe('take', () => store.take<T>(key)),
    delete: (key) => observe('delete', () => store.delete(key)),
    count: (key, ttl, by) => observe('count', () => store.count(key, ttl, by)),
    lock: (key, ttl) => observe('lock', () => store.lock(key, ttl)),
    time: () => observe('time', () => store.time()),
    // Keeps the metric label that readiness has always had.
    checkHealth: () => observe('ping', () => store.checkHealth()),
    ...(store.shards !== undefined && { shards: store.shards }),
    ping: () => observe('ping', () => store.ping()),
    streams: observeStreams(store.streams, observe),
    close: () => store.close(),
  }
}

/** `follow` is not measured: it lasts as long as its listener. */
function observeStreams(streams: Streams, observe: Observe): Streams {
  return {
    append: (key, value, options) => observe('append', () => streams.append(key, value, options)),
    read: (key, after, limit) => observe('read', () => streams.read(key, after, limit)),
    last: (key) => observe('last', () => streams.last(key)),
    trim: (key, upTo) => observe('trim', () => streams.trim(key, upTo)),
    follow: (keys, onEntry, after) => streams.follow(keys, onEntry, after),
  }
}

function createTimed({ metrics }: Telemetry): Timed {
  return (command, started, work) => {
    const end = () => metrics.storeCommand((performance.now() - started) / 1000, command)
    // On the side: the caller awaits the command itself.
    work.then(end, (error: unknown) => {
      // Any other error is a programming error, such as a malformed path.
      if (errorTypeOf(error) === 'unavailable') metrics.storeError(command)
      end()
    })
    return work
  }
}

function createObserve({ tracing }: Telemetry, system: string, timed: Timed): Observe {
  const plain: Observe = (command, work) => timed(command, performance.now(), work())
  if (tracing === undefined) return plain
  return (command, work) => {
    // OpenTelemetry semantic conventions for database client spans.
    const attributes = { 'db.system.name': system, 'db.operation.name': command }
    const span: SpanOptions = { name: `${system} ${command}`, kind: 'client', attributes }
    return tracing.inChild(span, () => plain(command, work))
  }
}
