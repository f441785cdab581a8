/** A `fetch` with a client certificate (mutual TLS: RFC 8705, 2). */

import type { KeyObject } from 'node:crypto'
import { createOutgoing, fetchBy, type Outgoing } from './outgoing.ts'
import type { Fetch } from './provider-fetch.ts'

export interface TlsFetchOptions {
  /** PEM, including intermediate certificates. */
  readonly certificate: string
  readonly key: KeyObject
  /** Additional trusted certificate authorities; PEM. */
  readonly ca?: string
}

/** Idle connections close automatically. */
export function createTlsFetch(
  { certificate: cert, key, ca }: TlsFetchOptions,
  outgoing: Outgoing = createOutgoing(),
): Fetch {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const connect = { cert, key: pem, ...(ca !== undefined && { ca }) }
  return fetchBy(outgoing.createDispatcher({ connect, keepAliveTimeout: 1000 }))
}
