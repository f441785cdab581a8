/** The session components of one node on a store. */

import { createKeyRing, type KeyRing } from '../../src/crypto/key-ring.ts'
import { createCredentialStore } from '../../src/session/credentials.ts'
import { SessionManager } from '../../src/session/manager.ts'
import { createFreshToken } from '../../src/session/refresh.ts'
import type { Store } from '../../src/store/port.ts'
import type { Credentials, IdentityProvider } from '../../src/upstream/identity-provider.ts'
import { recordingLogger } from '../logger/lines.ts'

export const MINUTE_MS = 60_000
export const KEY = Buffer.alloc(32, 7)
export const OTHER_KEY = Buffer.alloc(32, 8)

export interface NodeOptions {
  readonly keyRing?: KeyRing
  readonly provider?: Partial<IdentityProvider>
  readonly now?: () => number
  readonly ttlSeconds?: number
  readonly tokenTtlSeconds?: number
}

/** The components of one node; several nodes may share a store. */
export function createNode(store: Store, options: NodeOptions = {}) {
  const {
    now = Date.now,
    ttlSeconds = 3600,
    tokenTtlSeconds = ttlSeconds,
    keyRing = createKeyRing([KEY]),
  } = options
  const provider = { ...REFUSING, ...options.provider }
  const { log, lines } = recordingLogger()
  const sessions = new SessionManager({ store, now }, { ttlSeconds, tokenTtlSeconds })
  const credentials = createCredentialStore({ store, keyRing }, 'bank')
  const freshToken = createFreshToken({ store, sessions, credentials, provider, now, log })
  return { store, keyRing, sessions, credentials, freshToken, log, lines }
}

export type Node = ReturnType<typeof createNode>

const refuse = () => Promise.reject(new Error('The test did not expect this of the provider'))
const REFUSING: IdentityProvider = {
  authorizationUrl: refuse,
  exchange: refuse,
  refresh: refuse,
  revoke: refuse,
}

/** Credentials that expire in `ms`; refreshable. */
export function credentialsFor(ms: number, more: Partial<Credentials> = {}): Credentials {
  return {
    accessToken: 'access-1',
    refreshToken: 'refresh-1',
    expiresAt: Date.now() + ms,
    account: { sub: 'ada' },
    ...more,
  }
}

/** A session with these credentials. */
export async function signedIn(node: Node, credentials: Credentials): Promise<string> {
  const { id } = await node.sessions.create('handle')
  await node.credentials.write(id, credentials, 1)
  return id
}
