/** A session for tests of tools: the server's own parts, over a store in memory. */

import { randomBytes } from 'node:crypto'
import { createKeyRing } from '../crypto/key-ring.ts'
import type { CallSession } from '../engine/call.ts'
import type { Account } from '../engine/context.ts'
import { createCallSession } from '../session/call-session.ts'
import { createCredentialStore } from '../session/credentials.ts'
import { NO_KEPT_SIGN_INS } from '../session/kept-sign-ins.ts'
import { createSessionManager } from '../session/manager.ts'
import { createSignInLinks } from '../session/sign-in-link.ts'
import { createSignOut } from '../session/sign-out.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import { recordingLogger } from './recording-logger.ts'

export interface ToolSessionState {
  readonly state: 'anonymous' | 'authenticated' | 'expired'
  readonly data: Readonly<Record<string, unknown>>
  /** Whether the credentials were revoked upstream. */
  readonly revoked: boolean
}

export interface OpenedToolSession {
  readonly session: CallSession
  /** What happens when the person follows the link. */
  signIn(): Promise<void>
  state(): Promise<ToolSessionState>
  close(): Promise<void>
}

/** Opens a session for one call; `signedInAs` makes it an authenticated one. */
export async function openToolSession(given: {
  readonly signedInAs?: Account
  readonly sessionData?: Readonly<Record<string, unknown>>
}): Promise<OpenedToolSession> {
  const store = createMemoryStore()
  const sessions = createSessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
  const credentials = createCredentialStore(
    { store, keyRing: createKeyRing([randomBytes(32)]) },
    'test',
  )
  const links = createSignInLinks({ store, now: Date.now }, { ttlSeconds: 600 })
  const revoked: Credentials[] = []
  const provider = { revoke: async (held: Credentials) => void revoked.push(held) }
  const announceEnd = async () => undefined
  const { log } = recordingLogger()
  const signOut = createSignOut({
    ...{ sessions, credentials, provider, announceEnd, log },
    keptSignIns: NO_KEPT_SIGN_INS,
  })
  const linkUrl = async (handle: string) => `https://mcp.example/connect/${handle}`

  const { id } = await sessions.create('handle')
  for (const [name, value] of Object.entries(given.sessionData ?? {})) {
    await sessions.update(id, `data.${name}`, value)
  }
  const signIn = async (account: Account) =>
    void (await credentials.write(id, { accessToken: 'upstream-token', account }, 1))
  if (given.signedInAs !== undefined) await signIn(given.signedInAs)

  const session = createCallSession(
    { sessions, credentials, links, signOut, linkUrl, now: Date.now },
    await sessions.retrieve(id),
    { access: 'handle', client: { clientName: 'test' } },
  )
  return {
    session,
    signIn: () => signIn({ sub: 'ada', name: 'Ada Lovelace' }),
    async state() {
      const record = await sessions.peek(id)
      const { state = 'expired', data = {} } = record ?? {}
      return { state, data, revoked: revoked.length > 0 }
    },
    close: store.close,
  }
}
