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
  const relay = new StdioRelay(output)
  createInterface({ input }).on('line', (line) => relay.toServer(line))
  server.onReady = (child) => relay.connect(child)
  server.onGone = () => relay.disconnect()
}

type ReadyChild = Parameters<ServerChild['onReady']>[0]

class StdioRelay {
  readonly #output: Writable
  readonly #handshake: { initialize?: string; initialized?: string } = {}
  /** The methods of unanswered requests, by id. */
  readonly #running = new Map<string | number, string>()
  /** Lines that arrive while no server is connected. */
  readonly #waiting: string[] = []
  #server: Writable | undefined

  constructor(output: Writable) {
    this.#output = output
  }

  toServer(line: string): void {
    if (this.#server === undefined) this.#waiting.push(line)
    else this.#send(this.#server, line)
  }

  connect({ stdin, stdio: [, , , messages] }: ReadyChild): void {
    if (stdin === null || !(messages instanceof Readable)) return
    stdin.on('error', () => undefined)
    const { initialize, initialized } = this.#handshake
    const replayed = initialize === undefined ? undefined : parse(initialize).id
    let isReplaying = replayed !== undefined
    createInterface({ input: messages }).on('line', (line) => {
      const message = parse(line)
      if (isReplaying && message.id === replayed && message.method === undefined) {
        isReplaying = false
        if (initialized !== undefined) stdin.write(`${initialized}\n`)
        for (const changed of changedLists(message)) this.#toClient(changed)
        this.#open(stdin)
        return
      }
      if (message.id !== undefined && message.method === undefined) this.#running.delete(message.id)
      this.#output.write(`${line}\n`)
    })
    if (isReplaying) stdin.write(`${initialize}\n`)
    else this.#open(stdin)
  }

  disconnect(): void {
    this.#server = undefined
    for (const [id, method] of this.#running) {
      if (method === 'initialize') {
        this.#waiting.unshift(this.#handshake.initialize ?? '')
        delete this.#handshake.initialize
        continue
      }
      const error = { code: INTERNAL_ERROR, message: 'The development server restarted.' }
      this.#toClient({ jsonrpc: '2.0', id, error })
    }
    this.#running.clear()
  }

  #open(stdin: Writable): void {
    this.#server = stdin
    for (const line of this.#waiting.splice(0)) this.#send(stdin, line)
  }

  #send(target: Writable, line: string): void {
    const { id, method } = parse(line)
    if (method === 'initialize') this.#handshake.initialize = line
    if (method === 'notifications/initialized') this.#handshake.initialized = line
    if (method !== undefined && id !== undefined) this.#running.set(id, method)
    target.write(`${line}\n`)
  }

  #toClient(message: object): void {
    this.#output.write(`${JSON.stringify(message)}\n`)
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
