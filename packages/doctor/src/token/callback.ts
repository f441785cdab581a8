/** The redirect target: a loopback port that is open until the redirect arrives (RFC 8252, 7.3). */

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Callback {
  readonly redirectUri: string
  /** The parameters of the redirect. Refuses requests without the secret `state` (CSRF). */
  wait(state: string): Promise<URLSearchParams>
  close(): void
}

export async function openCallback(): Promise<Callback> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const redirectUri = `http://127.0.0.1:${port}/callback`
  return {
    redirectUri,
    wait: (state) =>
      new Promise((resolve) => {
        server.on('request', ({ url = '/' }, response) => {
          const [path, query = ''] = url.split('?', 2)
          const params = new URLSearchParams(query)
          const isOurs = path === '/callback' && params.get('state') === state
          response.writeHead(isOurs ? 200 : 400, {
            'content-type': 'text/plain; charset=utf-8',
            connection: 'close',
          })
          response.end(isOurs ? 'Done. You can close this page.\n' : 'This is not expected here.\n')
          if (isOurs) resolve(params)
        })
      }),
    close: () => void server.close(),
  }
}
