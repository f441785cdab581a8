/** Wires sessions and upstream sign-ins, apart from messages to other nodes. */

import { longestTokenSeconds } from '../auth/resource-server.ts'
import { basePathOf } from '../config/public-path.ts'
import type { Config } from '../config.ts'
import type { KeyRing } from '../crypto/key-ring.ts'
import type { KeyPage } from '../http/key.ts'
import type { Logger } from '../logger.ts'
import { Authorizations } from '../session/authorizations.ts'
import { type Blocks, createBlocks } from '../session/blocks.ts'
import type { SignInUpstreams } from '../session/call-session.ts'
import { createCredentialStore } from '../session/credentials.ts'
import { createKeyEntry } from '../session/key-entry.ts'
import { createSessionManager, type SessionManager } from '../session/manager.ts'
import { createOnBehalf } from '../session/on-behalf.ts'
import { createKeyToken, createOnRefusedKey } from '../session/pasted-keys.ts'
import { createPendingSignIns } from '../session/pending-sign-in.ts'
import { personKey } from '../session/record.ts'
import { createFreshToken } from '../session/refresh.ts'
import { createServiceAccess } from '../session/service-access.ts'
import { createServiceToken } from '../session/service-account.ts'
import { createSignIn } from '../session/sign-in.ts'
import { createSignInLinks, type SignInLinks } from '../session/sign-in-link.ts'
import { createSignIns } from '../session/sign-ins.ts'
import {
  createOperatorAccess,
  createUpstreamAccess,
  withNamed,
} from '../session/upstream-access.ts'
import type { Store } from '../store/port.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { createContinuing, keepSignIns } from './continuing.ts'
import type { UpstreamParts, Upstreams } from './upstream-parts.ts'

export interface SessionPartsDeps {
  readonly config: Config
  readonly log: Logger
  readonly store: Store
  readonly publicUrl: string
  readonly pagesReady: () => Promise<void>
  readonly telemetry: Telemetry
}

interface Shared extends SessionPartsDeps {
  readonly keyRing: KeyRing
  readonly now: () => number
  readonly sessions: SessionManager
  readonly links: SignInLinks
  readonly blocks: Blocks
  /** Called after each write to a session's credentials. */
  readonly onWritten: (sessionId: string) => Promise<void>
}

export function createSessionParts(
  deps: SessionPartsDeps,
  upstreams: Upstreams,
  keyRing: KeyRing,
  now: () => number,
) {
  const { config, store, publicUrl, pagesReady, telemetry } = deps
  const tokenTtlSeconds = longestTokenSeconds(config.auth)
  const sessions = createSessionManager(
    { store, now, onChange: telemetry.metrics.session },
    { ...config.session, tokenTtlSeconds },
  )
  const links = createSignInLinks({ store, now }, config.signIn)
  const kept = keepSignIns({ ...deps, now }, config.auth, tokenTtlSeconds)
  const authorizations = new Authorizations({ store, sessions, now }, lifetimesOf(config.auth))
  const onWritten = async (sessionId: string) => {
    await Promise.all([
      kept.onWritten(sessionId),
      authorizations
        .signedIn(sessionId)
        .catch((error: unknown) =>
          deps.log.warn({ err: error }, 'client not listed for its person'),
        ),
    ])
  }
  const blocks = createBlocks({ store })
  const shared = { ...deps, keyRing, now, sessions, links, blocks, onWritten }
  const first = partsAt(shared, upstreams.first)
  const further = upstreams.further.map((upstream) => partsAt(shared, upstream))
  const people = [first, ...further].filter(({ kind }) => kind !== 'operator')
  const byName = [...(further.length > 0 ? [first] : []), ...further]
  const { name, credentials } = first
  return {
    ...{ sessions, credentials, links, keptSignIns: kept.keptSignIns, authorizations },
    /** The upstreams that people sign in at; the first upstream identifies them. */
    account: {
      ...{ sessions, authorizations, upstreams: people },
      identity: first.returns ? first : undefined,
    },
    firstUpstream: name,
    blocks,
    signIn: createSignIns(people, links),
    keyPages: new Map(people.flatMap(({ name, keyPage }) => (keyPage ? [[name, keyPage]] : []))),
    signInUpstreams: {
      first: people.includes(first) ? name : undefined,
      further: new Map(
        further
          .filter((each) => people.includes(each))
          .map((each) => [each.name, each.credentials]),
      ),
    } satisfies SignInUpstreams,
    onBehalf: new Map(
      [first, ...further].flatMap(({ upstream, onBehalf }) =>
        onBehalf === undefined ? [] : [[upstream, onBehalf] as const],
      ),
    ),
    upstreamAccess: withNamed(
      first.access,
      new Map(byName.map((each) => [each.name, each.access])),
    ),
    serviceAccess: withNamed(
      first.serviceAccess,
      new Map(byName.map((each) => [each.name, each.serviceAccess])),
    ),
    serviceAccounts: namesWithService(upstreams),
    /** For sign-out. */
    further: further.map(({ credentials, provider }) => ({ credentials, provider })),
    linkUrl: async (handle: string) => {
      await pagesReady()
      return `${publicUrl}/connect/${handle}`
    },
    ...createContinuing({ store, sessions, credentials, now }, name, tokenTtlSeconds),
  }
}

/** The lifetimes of authorizations; those of an external issuer's tokens are not recorded. */
function lifetimesOf({ issuer }: Config['auth']) {
  if (issuer.kind === 'external') return { ttlSeconds: 1, personalTtlSeconds: 1 }
  const { refreshTokenTtl, accessTokenTtl, personalTokenTtl = 1 } = issuer
  return { ttlSeconds: refreshTokenTtl + accessTokenTtl, personalTtlSeconds: personalTokenTtl }
}

/** The upstreams with a service account: by their names, the first also by undefined. */
function namesWithService({ first, further }: Upstreams): ReadonlySet<string | undefined> {
  const named = [first, ...further].filter(({ service }) => service !== undefined)
  return new Set([...named.map(({ name }) => name), ...(first.service ? [undefined] : [])])
}

function serviceOf(shared: Shared, { name, service }: UpstreamParts) {
  if (service === undefined || 'key' in service) return service
  return { token: createServiceToken({ ...shared, ...service }, name) }
}

/** Wires one upstream: its sign-in, and its API on behalf of users. */
function partsAt(shared: Shared, upstream: UpstreamParts) {
  const { store, keyRing, sessions, links, log, now, publicUrl, config } = shared
  const { name, kind, label, provider, api, signsInAt, checkKey } = upstream
  const { ttlSeconds } = config.signIn
  const { onWritten } = shared
  const ownerOf = label === undefined ? (subject: string) => personKey(name, subject) : undefined
  const kept = { store, keyRing, onWritten, ...(ownerOf !== undefined && { ownerOf }) }
  const credentials = createCredentialStore(kept, name)
  const redirectUri =
    label === undefined ? `${publicUrl}/callback` : `${publicUrl}/callback/${label}`
  const isBlocked =
    ownerOf &&
    (async (subject: string) => (await shared.blocks.current()).people.has(ownerOf(subject)))
  const signIn = createSignIn(
    { store, keyRing, sessions, links, provider, credentials, isBlocked, log },
    { redirectUri, publicUrl, ttlSeconds, upstream: label },
  )
  const serviceAccess = createServiceAccess(api, serviceOf(shared, upstream), label)
  const common = {
    ...{ name, kind, upstream: label, provider, credentials, signIn, signsInAt, serviceAccess },
  }
  if (kind === 'operator') {
    const access = createOperatorAccess(api)
    const none = { returns: false, keyPage: undefined, onBehalf: undefined }
    return { ...common, access, serviceAccess: access, ...none }
  }
  if (checkKey === undefined) {
    const refreshing = { store, sessions, credentials, provider, now, log, upstream: label }
    const access = createUpstreamAccess(api, createFreshToken(refreshing), { upstream: label })
    const { exchangeToken, revoke } = provider
    const onBehalf =
      exchangeToken && createOnBehalf({ ...refreshing, provider: { exchangeToken, revoke } })
    return { ...common, access, returns: true, keyPage: undefined, onBehalf }
  }
  const binding = { secure: publicUrl.startsWith('https:'), basePath: basePathOf(publicUrl) }
  const pendingSignIns = createPendingSignIns(
    { store, keyRing },
    { ...binding, ttlSeconds, upstream: label },
  )
  const entry = createKeyEntry({
    store,
    credentials,
    pendingSignIns,
    checkKey,
    log,
    upstream: name,
  })
  const keyPage: KeyPage = { entry, signsInAt, label }
  const onRefusedKey = createOnRefusedKey({ store, credentials, checkKey, upstream: label })
  const keyToken = createKeyToken(sessions, credentials)
  const access = createUpstreamAccess(api, keyToken, { upstream: label, onRefusedKey })
  return { ...common, access, returns: false, keyPage, onBehalf: undefined }
}
