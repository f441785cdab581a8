/** Key pairs with self-signed certificates, for TLS clients and servers. */

import { spawnSync } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A private key, and its certificate in PEM. */
export function keyPair(kind: 'rsa:2048' | 'ec' | 'ed25519' = 'ec') {
  const folder = mkdtempSync(join(tmpdir(), 'client-key-'))
  const curve = kind === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:prime256v1'] : []
  const request = ['req', '-x509', '-newkey', kind, ...curve, '-nodes', '-days', '2']
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem']
  const made = spawnSync('openssl', [...request, ...names, ...files], { cwd: folder })
  if (made.status !== 0) throw new Error(String(made.stderr))
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const [key, certificate] = [createPrivateKey(read('key.pem')), read('cert.pem')]
  rmSync(folder, { recursive: true })
  const publicJwk = createPublicKey(key).export({ format: 'jwk' })
  return { key, certificate, publicJwk }
}
