/** Misconfigured proxies: each has one fault that affects clients. */

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { pipeline } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { createGzip } from 'node:zlib'
import { endToEnd, type HandOver, passOn, sendTo } from '../../../../scripts/cluster/balancer.ts'
import { ownCertificate } from './https-server.ts'

/** The size of nginx's buffers with a memory page of 4 kB. */
const BLOCK_BYTES = 4096

/** Changes the request to the node. */
function withRequest(change: (request: IncomingMessage) => void): HandOver {
  return (request, response, to) => {
    change(request)
    passOn(request, response, to)
  }
}

/** Changes the headers of the response. */
function withAnswer(change: (headers: IncomingHttpHeaders) => IncomingHttpHeaders): HandOver {
  return (request, response, { socket }) => {
    const toNode = sendTo(socket, request, response, (answer) => {
      response.writeHead(answer.statusCode ?? 502, change(endToEnd(answer.headers)))
      response.flushHeaders()
      pipeline(answer, response, () => undefined)
    })
    request.pipe(toNode)
  }
}

/** Removes the `Authorization` header. */
export const removesAuthorization = withRequest(({ headers }) => {
  delete headers.authorization
})

/** Sends another `Host`. */
export function sendsHost(host: string): HandOver {
  return withRequest((request) => {
    request.headers.host = host
  })
}

/** Serves the node below a path that it strips; serves something else elsewhere. */
export function servesBelow(path: string): HandOver {
  return (request, response, to) => {
    const { url = '/' } = request
    if (!url.startsWith(`${path}/`)) {
      to.socket.destroy()
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>')
      return
    }
    request.url = url.slice(path.length)
    passOn(request, response, to)
  }
}

/** Removes `WWW-Authenticate`. */
export const removesChallenges = withAnswer(({ 'www-authenticate': _, ...kept }) => kept)

/** Adds a second origin to the CORS header. */
export const addsOrigins = withAnswer((headers) => {
  const own = headers['access-control-allow-origin']
  return own === undefined ? headers : { ...headers, 'access-control-allow-origin': `${own}, *` }
})

/** Buffers responses until they are complete: streams never are. */
export const buffers: HandOver = (request, response, { socket }) => {
  const toNode = sendTo(socket, request, response, async (answer) => {
    const body = await answer.toArray().catch(() => undefined)
    if (body === undefined) return
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers)).end(Buffer.concat(body))
  })
  request.pipe(toNode)
}

/** Withholds the part that does not fill the last buffer, if there was more than one (nginx). */
export const fillsBlocks: HandOver = (request, response, { socket }) => {
  const toNode = sendTo(socket, request, response, (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers)).flushHeaders()
    let pending = Buffer.alloc(0)
    answer.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      const isPart = pending.length > BLOCK_BYTES
      const ready = isPart ? pending.length - (pending.length % BLOCK_BYTES) : pending.length
      response.write(pending.subarray(0, ready))
      pending = pending.subarray(ready)
    })
    answer.on('end', () => response.end(pending))
    answer.on('error', () => response.destroy())
  })
  request.pipe(toNode)
}

/** Closes longer responses. */
export function cutsAfter(ms: number): HandOver {
  return (request, response, to) => {
    const timer = setTimeout(() => response.destroy(), ms)
    response.on('close', () => clearTimeout(timer))
    passOn(request, response, to)
  }
}

/** Compresses events for clients that accept it. */
export const compresses: HandOver = (request, response, { socket }) => {
  const may = /gzip/.test(String(request.headers['accept-encoding']))
  const toNode = sendTo(socket, request, response, (answer) => {
    const headers = endToEnd(answer.headers)
    const isStream = may && headers['content-type'] === 'text/event-stream'
    const encoding = isStream ? { 'content-encoding': 'gzip' } : {}
    response.writeHead(answer.statusCode ?? 502, { ...headers, ...encoding }).flushHeaders()
    if (isStream) pipeline(answer, createGzip(), response, () => undefined)
    else pipeline(answer, response, () => undefined)
  })
  request.pipe(toNode)
}

/** Terminates TLS in front of a local port, without other faults. Clients must trust `ca`. */
export async function startTlsEnd(port: () => number) {
  const { key, cert } = ownCertificate()
  const server = createTlsServer({ key, cert }, (socket) => {
    const inner = connect({ host: '127.0.0.1', port: port() })
    pipeline(socket, inner, socket, () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `https://localhost:${taken}`,
    ca: cert,
    close: async () => void server.close(),
  }
}
