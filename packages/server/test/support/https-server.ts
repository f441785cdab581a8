/** A real https server on loopback with its own certificate, which counts connections and requests. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Answer, SeenRequest } from '../upstream/misbehaving-server.ts'

export interface HttpsServer {
  /** `https://localhost:<port>` */
  readonly origin: string
  readonly port: number
  /** Its certificate in PEM. */
  readonly ca: string
  readonly seen: readonly SeenRequest[]
  /** The number of TCP connections, successful or not. */
  connections(): number
  close(): Promise<void>
}

export async function startHttpsServer(answer: Answer): Promise<HttpsServer> {
  const { key, cert } = ownCertificate()
  const seen: SeenRequest[] = []
  const sockets = new Set<Duplex>()
  let connections = 0
  const server = createServer({ key, cert }, (req, res) => {
    const request = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body: '' }
    seen.push(request)
    void answer(res, request, seen.length - 1)
  })
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `https://localhost:${port}`,
    port,
    ca: cert,
    seen,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const CERTIFICATE = [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
  ...['-days', '2', '-subj', '/CN=localhost', '-keyout', 'key.pem', '-out', 'cert.pem'],
  ...['-addext', 'subjectAltName=DNS:localhost,DNS:*.example.com,IP:127.0.0.1,IP:::1'],
]

let made: { readonly key: string; readonly cert: string } | undefined

/** Generated for each run, so that the repository has no private key. */
export function ownCertificate() {
  if (made !== undefined) return made
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'))
  try {
    const { status, stderr } = spawnSync('openssl', CERTIFICATE, { cwd: directory })
    if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
    const read = (file: string) => readFileSync(join(directory, file), 'utf8')
    made = { key: read('key.pem'), cert: read('cert.pem') }
    return made
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
