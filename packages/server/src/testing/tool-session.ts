/** A session for tests of tools: real session code on an in-memory store. */

import { randomBytes } from 'node:crypto'
import { createKeyRing } from '../crypto/key-ring.ts'
import type { Account } from '../engine/tool-context.ts'
import { createCallSession } from '../session/call-session.ts'
import { createCredentialStore } from '../session/credentials.ts'
import { NO_KEPT_SIGN_INS } from '../session/kept-sign-ins.ts'
import { SessionManager } from '../session/manager.ts'
import { createSignInLinks } from '../session/sign-in-link.ts'
import { createSignOut } from '../session/sign-out.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Credentials } from '../upstream/identity-provider.ts'
import { recordingLogger } from './recording-logger.ts'

export interface ToolSessionState {
  readonly state: 'anonymous' | 'authenticated' | 'expired'
  readonly data: Readonly<Record<string, unknown>>
  /** Whether the credentials have been revoked upstream. */
  readonly revoked: boolean
}

export type OpenedToolSession = Awaited<ReturnType<typeof openToolSession>>

interface ToolSessionOptions {
  readonly signedInAs?: Account | undefined
  readonly sessionData?: Readonly<Record<string, unknown>> | undefined
  /** Names of the additional upstreams. */
  readonly upstreams?: readonly (string | undefined)[]
  readonly signedInAt?: Readonly<Record<string, Account>> | undefined
}

/** The session components, on a memory store; `revoked` records revoked credentials. */
function createSessionParts({ upstreams = [], signedInAt = {} }: ToolSessionOptions) {
  const store = createMemoryStore()
  const sessions = new SessionManager({ store, now: Date.now }, { ttlSeconds: 3600 })
  const sealing = { store, keyRing: createKeyRing([randomBytes(32)]) }
  const credentials = createCredentialStore(sealing, 'test')
  const names = [...upstreams, ...Object.keys(signedInAt)]
  const further = new Map(
    names.flatMap((name) => (name ? [[name, createCredentialStore(sealing, name)]] : [])),
  )
  const links = createSignInLinks({ store, now: Date.now }, { ttlSeconds: 600 })
  const revoked: Credentials[] = []
  const provider = { revoke: async (held: Credentials) => void revoked.push(held) }
  const broadcastEnd = async () => undefined
  const { log } = recordingLogger()
  const others = [...further.values()].map((each) => ({ credentials: each, provider }))
  const deps = {
    ...{ sessions, credentials, provider, further: others, broadcastEnd, log },
    keptSignIns: NO_KEPT_SIGN_INS,
  }
  return { store, sessions, credentials, further, links, revoked, signOut: createSignOut(deps) }
}

/** Opens a session for one call; `signedInAs` makes it an authenticated one. */
export async function openToolSession(given: ToolSessionOptions) {
  const { store, sessions, credentials, further, links, revoked, signOut } =
    createSessionParts(given)
  const linkUrl = async (handle: string) => `https://mcp.example/connect/${handle}`

  const { id } = await sessions.create('handle')
  for (const [name, value] of Object.entries(given.sessionData ?? {})) {
    await sessions.update(id, `data.${name}`, value)
  }
  const signIn = async (account: Account, upstream?: string) => {
    const at = (upstream === undefined ? undefined : further.get(upstream)) ?? credentials
    await at.write(id, { accessToken: 'upstream-token', account }, 1)
  }
  if (given.signedInAs !== undefined) await signIn(given.signedInAs)
  for (const [upstream, account] of Object.entries(given.signedInAt ?? {})) {
    await signIn(account, upstream)
  }

  const session = createCallSession(
    {
      ...{ sessions, credentials, links, signOut, linkUrl, now: Date.now },
      signInUpstreams: { first: 'test', further },
    },
    await sessions.retrieve(id),
    { access: 'handle', client: { facts: { clientName: 'test' } } },
  )
  return {
    session,
    /** Simulates that the user follows the link, to the first upstream by default. */
    signIn: (upstream?: string): Promise<void> =>
      signIn({ sub: 'ada', name: 'Ada Lovelace' }, upstream),
    async state(): Promise<ToolSessionState> {
      const record = await sessions.peek(id)
      const { state = 'expired', data = {} } = record ?? {}
      return { state, data, revoked: revoked.length > 0 }
    },
    close: store.close,
  }
}
