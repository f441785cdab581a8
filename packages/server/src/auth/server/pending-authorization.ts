/**
 * A pending authorization: the library's interaction, from the consent page to its result, and its
 * approval, which names the session.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import { type Client, errors, type InteractionResults } from 'oidc-provider'
import { sha256 } from '../../crypto/hash.ts'
import type { KeyRing } from '../../crypto/key-ring.ts'
import { createId } from '../../crypto/random-id.ts'
import type { Store } from '../../store/port.ts'
import { grantIdOf } from './grants.ts'
import { CONSENT_TTL_SECONDS } from './options.ts'
import { fromProvider } from './unavailable.ts'

/** A request of a browser, whose cookies bind the browser to its authorization. */
export interface PageRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface Pending {
  readonly provider: Provider
  readonly client: Client
  readonly params: Readonly<Record<string, unknown>>
  readonly uid: string
  finish(result: InteractionResults): Promise<string>
}

/** Undefined when the authorization is unknown, expired, or belongs to another browser. */
export function createFindPending(current: () => Promise<Provider>) {
  return async ({ request, response }: PageRequest, uid: string): Promise<Pending | undefined> => {
    try {
      const provider = await current()
      const { params, uid: known } = await provider.interactionDetails(request, response)
      // CSRF: the authorization in the URL must be the one that the browser's cookie names.
      if (known !== uid) return undefined
      const client = await provider.Client.find(String(params.client_id))
      if (client === undefined) return undefined
      const once = { mergeWithLastSubmission: false }
      const finish = (result: InteractionResults) =>
        provider.interactionResult(request, response, result, once).catch((error: unknown) => {
          throw fromProvider(error)
        })
      return { provider, client, params, uid, finish }
    } catch (error) {
      if (error instanceof errors.OIDCProviderError && error.statusCode < 500) return undefined
      throw fromProvider(error)
    }
  }
}

/** Saves a grant with its own scopes; earlier grants of the same session keep theirs. */
export async function saveGrant({ provider, client, params, uid }: Pending, sessionId: string) {
  const { scope, resource } = params
  const grant = new provider.Grant({ accountId: sessionId, clientId: client.clientId })
  grant.jti = grantIdOf(sessionId, uid)
  grant.addOIDCScope(String(scope))
  for (const each of [resource].flat()) grant.addResourceScope(String(each), String(scope))
  try {
    return await grant.save()
  } catch (error) {
    throw fromProvider(error)
  }
}

const PURPOSE = 'oauth-approval'

/** An approved authorization, and the session that the client gets. */
export interface Approval {
  readonly sessionId: string
  /** Whether the session existed before: a denial of this authorization does not end it. */
  readonly continued: boolean
}

type ApprovalRecord = {
  /** The sealed session id; null is the tombstone of a withdrawn approval. */
  readonly sealed: string | null
  readonly continued?: boolean
}

export type Approvals = ReturnType<typeof createApprovals>

interface ApprovalDeps {
  readonly store: Store
  readonly keyRing: KeyRing
}

/** Contains only a hash of `uid`. */
const approvalKey = (uid: string) => `oauth:Approval:${sha256(uid)}`

/** Approvals have the TTL of the consent page. */
export function createApprovals({ store, keyRing }: ApprovalDeps) {
  const seal = (uid: string, { sessionId, continued }: Approval): ApprovalRecord => ({
    sealed: keyRing.seal(PURPOSE, sessionId, approvalKey(uid)),
    continued,
  })

  async function read(uid: string) {
    const record = await store.get<ApprovalRecord>(approvalKey(uid))
    const { sealed, continued = false, rev } = record ?? {}
    const sessionId = sealed && keyRing.open(PURPOSE, sealed, approvalKey(uid))
    return sessionId ? { approval: { sessionId, continued }, rev } : undefined
  }

  const find = async (uid: string) => (await read(uid))?.approval

  return {
    /** The session of an approved authorization, if any. */
    find,
    /**
     * Approves the authorization and returns its session: `continuedId`, or a new one. Idempotent
     * across nodes: repeated approvals return the same session. Undefined after a withdrawal.
     */
    async record(uid: string, continuedId?: string): Promise<Approval | undefined> {
      const continued = continuedId !== undefined
      const approval = { sessionId: continuedId ?? createId('ses'), continued }
      const isFirst = await store.create(approvalKey(uid), seal(uid, approval), CONSENT_TTL_SECONDS)
      return isFirst ? approval : find(uid)
    },
    /** Replaces the session (compare-and-set); false after a withdrawal. */
    async replace(uid: string, approval: Approval): Promise<boolean> {
      const rev = (await read(uid))?.rev
      if (rev === undefined) return false
      const { outcome } = await store.patch(approvalKey(uid), seal(uid, approval), { ifRev: rev })
      return outcome === 'written'
    },
    /** Withdraws the approval and blocks later ones; returns the earlier approval, if any. */
    async withdraw(uid: string): Promise<Approval | undefined> {
      // Writes the tombstone first, which blocks later approvals, then reads any earlier one.
      const none = { sealed: null }
      if (await store.create(approvalKey(uid), none, CONSENT_TTL_SECONDS)) return undefined
      const approval = await find(uid)
      await store.set(approvalKey(uid), none, CONSENT_TTL_SECONDS)
      return approval
    },
  }
}
