/** A certificate authority and a certificate that it signs, created with openssl. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TlsCertificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** PEM texts; the certificate is valid for servers and clients, for this host name only. */
export function certificateFor(host: string): TlsCertificates {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'))
  const openssl = (...args: readonly string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder })
    if (status !== 0) throw new Error(`openssl: ${stderr}`)
  }
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  try {
    writeFileSync(join(folder, 'names'), `subjectAltName=DNS:${host}\n`)
    openssl(
      'req',
      '-x509',
      ...fresh,
      ...['-subj', '/CN=test CA', '-days', '2'],
      ...['-keyout', 'ca.key', '-out', 'ca.pem'],
    )
    openssl(
      'req',
      ...fresh,
      ...['-subj', `/CN=${host}`, '-keyout', 'key.pem', '-out', 'request.pem'],
    )
    openssl(
      'x509',
      '-req',
      ...['-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key'],
      ...['-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'cert.pem'],
    )
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
