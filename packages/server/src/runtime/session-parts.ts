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
import { type CredentialStore, createCredentialStore } from '../session/credentials.ts'
import { type CheckKey, createKeyEntry } from '../session/key-entry.ts'
import { SessionManager } from '../session/manager.ts'
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
  /** Monotonic time in milliseconds. */
  readonly monotonicNow: () => number
}

interface Shared {
  readonly config: Config
  readonly log: Logger
  readonly store: Store
  readonly publicUrl: string
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
  upstreams: Pick<Upstreams, 'first' | 'further'>,
  keyRing: KeyRing,
  now: () => number,
) {
  const { config, log, store, publicUrl, pagesReady, telemetry, monotonicNow } = deps
  const tokenTtlSeconds = longestTokenSeconds(config.auth)
  const sessions = new SessionManager(
    { store, now, onChange: telemetry.metrics.session },
    { ttlSeconds: config.session.ttlSeconds, tokenTtlSeconds },
  )
  const links = createSignInLinks({ store, now }, config.signIn)
  const kept = keepSignIns({ store, log, now }, config.auth, tokenTtlSeconds)
  const authorizations = new Authorizations({ store, sessions, now }, lifetimesOf(config.auth))
  const onWritten = async (sessionId: string) => {
    const listed = authorizations
      .signedIn(sessionId)
      .catch((error: unknown) => log.warn({ err: error }, 'client not listed for its person'))
    await Promise.all([kept.onWritten(sessionId), listed])
  }
  const blocks = createBlocks({ store, monotonicNow })
  const shared: Shared = {
    ...{ config, log, store, publicUrl, keyRing, now, sessions, links, blocks, onWritten },
  }
  const first = partsAt(shared, upstreams.first)
  const further = upstreams.further.map((upstream) => partsAt(shared, upstream))
  const people = [first, ...further].filter(({ kind }) => kind !== 'operator')
  const { name, credentials } = first
  return {
    ...{ sessions, credentials, links, blocks, keptSignIns: kept.keptSignIns, authorizations },
    /** The upstreams that people sign in at; the first upstream identifies them. */
    account: {
      ...{ sessions, authorizations, upstreams: people },
      identity: first.returns ? first : undefined,
    },
    firstUpstream: name,
    signIn: createSignIns(people, links),
    keyPages: new Map(people.flatMap(({ name, keyPage }) => (keyPage ? [[name, keyPage]] : []))),
    ...accessParts(first, further, people),
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

type PartsAt = ReturnType<typeof partsAt>

/** What calls use of the upstreams: sign-ins, and their APIs. */
function accessParts(first: PartsAt, further: readonly PartsAt[], people: readonly PartsAt[]) {
  const all = [first, ...further]
  const byName = [...(further.length > 0 ? [first] : []), ...further]
  return {
    signInUpstreams: {
      first: people.includes(first) ? first.name : undefined,
      further: new Map(
        further
          .filter((each) => people.includes(each))
          .map((each) => [each.name, each.credentials]),
      ),
    } satisfies SignInUpstreams,
    onBehalf: new Map(
      all.flatMap(({ upstream, onBehalf }) =>
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
  }
}

/** The lifetimes of authorizations; those of an external issuer's tokens are not recorded. */
function lifetimesOf({ issuer }: Config['auth']) {
  if (issuer.kind === 'external') return { ttlSeconds: 1, personalTtlSeconds: 1 }
  const { refreshTokenTtl, accessTokenTtl, personalTokenTtl = 1 } = issuer
  return { ttlSeconds: refreshTokenTtl + accessTokenTtl, personalTtlSeconds: personalTokenTtl }
}

/** The upstreams with a service account: by their names, the first also by undefined. */
function namesWithService({
  first,
  further,
}: Pick<Upstreams, 'first' | 'further'>): ReadonlySet<string | undefined> {
  const named = [first, ...further].filter(({ service }) => service !== undefined)
  return new Set([...named.map(({ name }) => name), ...(first.service ? [undefined] : [])])
}

function serviceOf({ store, keyRing, now, log }: Shared, { name, service }: UpstreamParts) {
  if (service === undefined || 'key' in service) return service
  const { request } = service
  return { token: createServiceToken({ store, keyRing, request, now, log }, name) }
}

/** Wires one upstream: its sign-in, and its API on behalf of users. */
function partsAt(shared: Shared, upstream: UpstreamParts) {
  const { store, keyRing, sessions, links, log, publicUrl, config, onWritten } = shared
  const { name, kind, label, provider, api, signsInAt, checkKey } = upstream
  const { ttlSeconds } = config.signIn
  const ownerOf = label === undefined ? (subject: string) => personKey(name, subject) : undefined
  const credentials = createCredentialStore(
    { store, keyRing, onWritten, ...(ownerOf !== undefined && { ownerOf }) },
    name,
  )
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
    return { ...common, ...NOBODY_SIGNS_IN, access, serviceAccess: access }
  }
  if (checkKey === undefined) return { ...common, ...providerAccess(shared, upstream, credentials) }
  return { ...common, ...keyAccess(shared, upstream, { credentials, checkKey }) }
}

const NOBODY_SIGNS_IN = { returns: false, keyPage: undefined, onBehalf: undefined }

/** Access with the tokens of an identity provider. */
function providerAccess(
  { store, sessions, now, log }: Shared,
  { api, label: upstream, provider }: UpstreamParts,
  credentials: CredentialStore,
) {
  const fresh = createFreshToken({
    ...{ store, sessions, credentials, provider, now, log, upstream },
  })
  const { exchangeToken, revoke } = provider
  const onBehalf =
    exchangeToken &&
    createOnBehalf({
      ...{ store, sessions, credentials, now, log, upstream },
      provider: { exchangeToken, revoke },
    })
  const access = createUpstreamAccess(api, fresh, { upstream })
  return { access, returns: true, keyPage: undefined, onBehalf }
}

interface KeyParts {
  readonly credentials: CredentialStore
  readonly checkKey: CheckKey
}

/** Access with keys that people paste. */
function keyAccess(
  { store, keyRing, sessions, log, publicUrl, config }: Shared,
  { name, label, api, signsInAt }: UpstreamParts,
  { credentials, checkKey }: KeyParts,
) {
  const pendingSignIns = createPendingSignIns(
    { store, keyRing },
    {
      secure: publicUrl.startsWith('https:'),
      basePath: basePathOf(publicUrl),
      ttlSeconds: config.signIn.ttlSeconds,
      upstream: label,
    },
  )
  const entry = createKeyEntry({
    ...{ store, credentials, pendingSignIns, checkKey, log, upstream: name },
  })
  const keyPage: KeyPage = { entry, signsInAt, label }
  const onRefusedKey = createOnRefusedKey({ store, credentials, checkKey, upstream: label })
  const keyToken = createKeyToken(sessions, credentials)
  const access = createUpstreamAccess(api, keyToken, { upstream: label, onRefusedKey })
  return { access, returns: false, keyPage, onBehalf: undefined }
}
