/** Lets a client of `mcp-template dev stdio` keep its connection while the server is replaced. */

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
 * Passes lines on in both directions. A new server is told first what the client said when it
 * connected (2025-11-25, basic/lifecycle), what comes meanwhile waits, and calls that the old server
 * did not answer are answered with an error.
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

/** Since a file changed, the client's lists may be old. */
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
