/** Looks after the calls of an HTTP+SSE stream that is held here: answers for nodes that are lost. */

import type { Logger } from '../../logger.ts'
import type { Node } from '../nodes/node.ts'
import { type Connection, type Connections, ownStreamKey } from './connection.ts'
import { lostAnswer } from './lost-answer.ts'
import type { SendToConnection } from './own-stream.ts'
import { runningKey } from './sse-calls.ts'
import type { StreamNews } from './stream-news.ts'

export interface CallWatchDeps {
  readonly node: Node
  readonly connections: Connections
  readonly news: StreamNews
  readonly send: SendToConnection
  readonly log: Logger
}

export interface CallWatch {
  /** Takes in what the connection is like after its stream was read. */
  see(connection: Connection | undefined): void
  stop(): void
}

/** How often the nodes that run calls of a connection are looked at. */
const LOOK_MS = 1000

export function createCallWatch(deps: CallWatchDeps): CallWatch {
  const { node, news, log } = deps
  let timer: NodeJS.Timeout | undefined
  let due = false
  let stopped = false

  function see(connection: Connection | undefined): void {
    if (stopped || connection === undefined) return
    if (due) {
      due = false
      answerLost(deps, connection).catch((error: unknown) => {
        log.debug({ err: error }, 'running calls not looked at')
      })
    }
    if (timer !== undefined || nodesOf(connection).every((each) => each === node.id)) return
    timer = setTimeout(() => {
      timer = undefined
      due = true
      // The stream is read first: a node may have answered, and not come to telling anybody.
      news.announce(ownStreamKey(connection.id))
    }, LOOK_MS)
  }

  return {
    see,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function answerLost(
  { node, connections, send, log }: CallWatchDeps,
  { id, calls }: Connection,
): Promise<void> {
  for (const each of nodesOf({ calls })) {
    if (await node.isAlive(each)) continue
    for (const [name, requestId] of Object.entries(calls)) {
      if (nodeOf(name) !== each) continue
      const takes = runningKey(id, name)
      if (await send(id, lostAnswer(requestId), { takes })) log.warn('a call died with its node')
      await connections.callEnds(id, name)
    }
  }
}

function nodesOf({ calls }: Pick<Connection, 'calls'>): readonly string[] {
  return [...new Set(Object.keys(calls).map(nodeOf))]
}

/** Calls are named `<node>-<n>`. */
function nodeOf(name: string): string {
  return name.split('-')[0] ?? ''
}
