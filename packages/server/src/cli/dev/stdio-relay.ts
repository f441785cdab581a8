/** Keeps the client of `mcp-template dev stdio` connected while the server restarts. */

import { createInterface } from 'node:readline'
import { Readable, type Writable } from 'node:stream'
import type { ServerChild } from './server-child.ts'

interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly result?: { readonly capabilities?: Readonly<Record<string, unknown>> }
}

/** JSON-RPC 2.0, section 5.1. */
const INTERNAL_ERROR = -32_603

/**
 * Relays lines in both directions. Replays the client's handshake to a new server (2025-11-25,
 * basic/lifecycle), queues messages that arrive meanwhile, and answers calls that the old server
 * left unanswered with an error.
 */
export function relayStdio(
  server: ServerChild,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): void {
  const handshake: { initialize?: string; initialized?: string } = {}
  const running = new Map<string | number, string>()
  const waiting: string[] = []
  let toServer: Writable | undefined
  const toClient = (message: object) => output.write(`${JSON.stringify(message)}\n`)

  createInterface({ input }).on('line', (line) => {
    if (toServer === undefined) waiting.push(line)
    else pass(toServer, line)
  })

  function pass(target: Writable, line: string): void {
    const { id, method } = parse(line)
    if (method === 'initialize') handshake.initialize = line
    if (method === 'notifications/initialized') handshake.initialized = line
    if (method !== undefined && id !== undefined) running.set(id, method)
    target.write(`${line}\n`)
  }

  server.onReady = ({ stdin, stdio: [, , , messages] }) => {
    if (stdin === null || !(messages instanceof Readable)) return
    stdin.on('error', () => undefined)
    const { initialize, initialized } = handshake
    const replayed = initialize === undefined ? undefined : parse(initialize).id
    let isReplaying = replayed !== undefined
    createInterface({ input: messages }).on('line', (line) => {
      const message = parse(line)
      if (isReplaying && message.id === replayed && message.method === undefined) {
        isReplaying = false
        if (initialized !== undefined) stdin.write(`${initialized}\n`)
        for (const changed of changedLists(message)) toClient(changed)
        open(stdin)
        return
      }
      if (message.id !== undefined && message.method === undefined) running.delete(message.id)
      output.write(`${line}\n`)
    })
    if (isReplaying) stdin.write(`${initialize}\n`)
    else open(stdin)
  }

  function open(stdin: Writable): void {
    toServer = stdin
    for (const line of waiting.splice(0)) pass(stdin, line)
  }

  server.onGone = () => {
    toServer = undefined
    for (const [id, method] of running) {
      if (method === 'initialize') {
        waiting.unshift(handshake.initialize ?? '')
        delete handshake.initialize
        continue
      }
      const error = { code: INTERNAL_ERROR, message: 'The development server restarted.' }
      toClient({ jsonrpc: '2.0', id, error })
    }
    running.clear()
  }
}

/** Notifications that the lists changed: a changed file may have changed any of them. */
function changedLists({ result }: Message): object[] {
  return Object.entries(result?.capabilities ?? {}).flatMap(([name, can]) =>
    typeof can === 'object' && can !== null && 'listChanged' in can
      ? [{ jsonrpc: '2.0', method: `notifications/${name}/list_changed` }]
      : [],
  )
}

function parse(line: string): Message {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
