/**
 * The access token of this server's own account at an upstream, for callers without a person: one
 * per upstream, sealed in the store, shared by all nodes and requested by one node at a time.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { KeyRing } from '../crypto/key-ring.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Store } from '../store/port.ts'
import { ProviderError } from '../upstream/identity-provider.ts'
import type { RequestServiceToken } from '../upstream/service-token.ts'
import { logProviderFailure } from './log-provider-failure.ts'
import { aborted } from './refresh.ts'
import { mustWait, nextFailure, type RefreshFailure, refreshError } from './refresh-failure.ts'

const PURPOSE = 'service-token'
/** A token is replaced this long before it expires; after half of a lifetime below a minute. */
const EXPIRES_SOON_MS = 30_000
/** For tokens without `expires_in`. */
const UNKNOWN_LIFETIME_MS = 60 * 60 * 1000
const FAILURE_SECONDS = 300
/** Lock expiry if its holder crashes: longer than the provider's timeout. */
const LOCK_SECONDS = 10
const WAIT_MS = 12_000
const POLL_MS = 100

export interface ServiceTokenDeps {
  readonly store: Pick<Store, 'get' | 'set' | 'lock'>
  readonly keyRing: Pick<KeyRing, 'seal' | 'open'>
  readonly request: RequestServiceToken
  readonly now: () => number
  readonly log: Logger
}

/**
 * Returns a valid token; `rejected`, a token that the API rejected, is replaced.
 * @throws AppError `upstream_error`
 */
export type ServiceToken = (rejected?: string, signal?: AbortSignal) => Promise<string>

interface Held {
  readonly token: string
  /** Unix times in milliseconds. */
  readonly renewAt: number
  readonly expiresAt: number
}

type KeptToken = { readonly sealed: string }
type KeptFailure = { readonly failure: RefreshFailure; readonly isRefused: boolean }

export function createServiceToken(deps: ServiceTokenDeps, upstream: string): ServiceToken {
  const { now } = deps
  const account = createAccount(deps, upstream)
  let known: Held | undefined
  /** The request in progress in this process, which concurrent calls share (single flight). */
  let running: Promise<Held> | undefined

  return async (rejected, signal) => {
    const held = known
    if (held !== undefined && isFresh(held, rejected, now())) return held.token
    running ??= account(held, rejected).finally(() => {
      running = undefined
    })
    try {
      known = await Promise.race([running, ...(signal ? [aborted(signal)] : [])])
      return known.token
    } catch (error) {
      const isUsable = held !== undefined && held.token !== rejected && held.expiresAt > now()
      if (isUsable && error instanceof AppError) return held.token
      throw error
    }
  }
}

function isFresh({ token, renewAt }: Held, rejected: string | undefined, now: number): boolean {
  return token !== rejected && now < renewAt
}

/** Keeps the token of the account, and the failure of its last request, in the store. */
function createKeptAccount(deps: ServiceTokenDeps, key: string, upstream: string) {
  const { store, keyRing, now } = deps
  const failureKey = `${key}:failure`

  async function read(): Promise<Held | undefined> {
    const kept = await store.get<KeptToken>(key)
    const opened = kept && keyRing.open(PURPOSE, kept.sealed, key)
    return opened ? (JSON.parse(opened) as Held) : undefined
  }

  async function request(previous: RefreshFailure | undefined): Promise<Held> {
    try {
      const { accessToken, expiresAt = now() + UNKNOWN_LIFETIME_MS } = await deps.request()
      const lifetimeMs = expiresAt - now()
      const renewAt = expiresAt - Math.min(EXPIRES_SOON_MS, lifetimeMs / 2)
      const held: Held = { token: accessToken, renewAt, expiresAt }
      const sealed = keyRing.seal(PURPOSE, JSON.stringify(held), key)
      await store.set(key, { sealed }, Math.max(1, Math.ceil(lifetimeMs / 1000)))
      return held
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      logProviderFailure(deps.log, 'service account refused', error, { upstream })
      const failure = nextFailure(previous, error, now())
      const isRefused = error.code !== 'provider_unavailable'
      await store.set(failureKey, { failure, isRefused }, FAILURE_SECONDS)
      throw failed({ failure, isRefused }, now(), error)
    }
  }

  return { read, request, readFailure: () => store.get<KeptFailure>(failureKey) }
}

/** Finds a fresh token in the store, or requests one under a distributed lock. */
function createAccount(deps: ServiceTokenDeps, upstream: string) {
  const { store, now } = deps
  const key = `{upstream:${upstream}}:service`
  const kept = createKeptAccount(deps, key, upstream)

  return async (before: Held | undefined, rejected: string | undefined): Promise<Held> => {
    const deadline = now() + WAIT_MS
    const readFresh = async () => {
      const held = await kept.read()
      const isKnown = held?.token === rejected || held?.token === before?.token
      return held === undefined || isKnown || now() >= held.renewAt ? undefined : held
    }
    while (now() < deadline) {
      const fresh = await readFresh()
      if (fresh !== undefined) return fresh
      const lock = await store.lock(`${key}:refresh`, LOCK_SECONDS)
      if (lock === undefined) {
        await delay(POLL_MS)
        continue
      }
      try {
        // Another node may have finished between the read and the lock.
        const [latest, last] = await Promise.all([readFresh(), kept.readFailure()])
        if (latest !== undefined) return latest
        if (last !== undefined && mustWait(last.failure, now())) throw failed(last, now())
        return await kept.request(last?.failure)
      } finally {
        await lock.release()
      }
    }
    throw refreshError(undefined, now())
  }
}

/** Anything but an outage is a fault of the configuration, here or at the provider. */
function failed({ failure, isRefused }: KeptFailure, now: number, cause?: unknown): AppError {
  return isRefused ? serviceRefused('identity provider', cause) : refreshError(failure, now, cause)
}

/** The error for a model: neither it nor a person can correct the service account. */
export function serviceRefused(by: 'identity provider' | 'service', cause?: unknown): AppError {
  const message = `The ${by} does not accept the service account of this server. Only its operator can correct that.`
  return new AppError('upstream_error', message, { cause })
}
