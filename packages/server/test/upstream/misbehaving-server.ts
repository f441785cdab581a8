/** A real HTTP server with the responses of a test, which records its requests. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answer = (res: ServerResponse, req: SeenRequest, index: number) => unknown

export interface MisbehavingServer {
  readonly origin: string
  readonly seen: SeenRequest[]
  close(): Promise<void>
}

/** Starts a server on a free port of the loopback address. */
export async function startServer(answer: Answer): Promise<MisbehavingServer> {
  const seen: SeenRequest[] = []
  const server = createServer(async (req, res) => {
    const body = await readText(req)
    const request = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body }
    seen.push(request)
    await answer(res, request, seen.length - 1)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A response with a JSON body. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (res) => {
    res.writeHead(status, { 'content-type': 'application/json', ...headers })
    res.end(JSON.stringify(value))
  }
}

/** The first request gets the first response, and so on; the last one repeats. */
export function inTurn(...answers: Answer[]): Answer {
  return (res, req, index) => answers[Math.min(index, answers.length - 1)]?.(res, req, index)
}

async function readText(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
