/** A fetch that shows a client certificate (RFC 8705, 2). */

import type { KeyObject } from 'node:crypto'
import { createOutgoing, fetchBy, type Outgoing } from './outgoing.ts'
import type { Fetch } from './provider-fetch.ts'

export interface TlsFetchOptions {
  /** PEM, with the certificates in between. */
  readonly certificate: string
  readonly key: KeyObject
  /** Whom to trust besides; PEM. */
  readonly ca?: string
}

/** The connections close by themselves once they are idle. */
export function createTlsFetch(
  { certificate: cert, key, ca }: TlsFetchOptions,
  outgoing: Outgoing = createOutgoing(),
): Fetch {
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const connect = { cert, key: pem, ...(ca !== undefined && { ca }) }
  return fetchBy(outgoing.createDispatcher({ connect, keepAliveTimeout: 1000 }))
}
