/** The second API, which requires its key. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export const STATUS_KEY = 'key-of-the-status-page'
export const INCIDENT = { title: 'Mail is late', since: '2026-03-14T09:00:00Z' }

export async function startStatusServer() {
  const server = createServer((request, response) => {
    const isKnown = request.headers['x-api-key'] === STATUS_KEY
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url === '/incidents?region=eu' ? [INCIDENT] : []))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, stop: () => new Promise((resolve) => server.close(resolve)) }
}
