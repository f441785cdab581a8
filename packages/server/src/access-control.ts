/** The operator's kill switch: blocks clients, people and tools, and ends sessions. */

import { randomUUID } from 'node:crypto'
import { longestTokenSeconds } from './auth/resource-server.ts'
import type { LoadedConfig } from './config.ts'
import { shortHash } from './crypto/hash.ts'
import { createKeyRing } from './crypto/key-ring.ts'
import { AppError } from './errors.ts'
import type { Logger } from './logger.ts'
import { type AccessChange, joinCluster } from './mcp/nodes/cluster-node.ts'
import { createSealedStreams } from './mcp/nodes/sealed-streams.ts'
import { Authorizations } from './session/authorizations.ts'
import { type Block, createBlockEditor } from './session/blocks.ts'
import { SessionManager } from './session/manager.ts'
import { personKey } from './session/record.ts'
import type { Store } from './store/port.ts'

/** `value` is a client id, a subject at the identity provider, or the name of a tool. */
export interface Target {
  readonly kind: Block['kind']
  readonly value: string
}

export interface Why {
  readonly reason: string
  readonly by: string
}

export type AccessControl = Awaited<ReturnType<typeof createAccessControl>>

export interface AccessControlDeps extends Pick<LoadedConfig, 'config' | 'secrets'> {
  readonly store: Store
  readonly log: Logger
}

const monotonicNow = () => performance.now()

/** Joins the nodes while the command runs, to notify them of the change at once. */
export async function createAccessControl(deps: AccessControlDeps) {
  const { config, secrets, store, log } = deps
  const { issuer } = config.auth
  const streams = createSealedStreams(store.streams, createKeyRing(secrets.encryptionKeys))
  const node = await joinCluster({ store, streams, log, monotonicNow })
  const editor = createBlockEditor({ store })
  const realms = realmsOf(config)

  const storedValues = ({ kind, value }: Target) =>
    kind === 'person' ? realms.map((realm) => personKey(realm, value)) : [value]

  async function broadcast(action: AccessChange['action'], target: Target, why: Why) {
    const isHidden = target.kind === 'person' && config.log.auditSubject !== 'subject'
    const value = isHidden ? shortHash(target.value) : target.value
    const change: AccessChange = { action, [target.kind]: value, ...why }
    await node.broadcast({ kind: 'access_changed', id: randomUUID(), change })
  }

  return {
    list: editor.list,
    async block(target: Target, why: Why): Promise<void> {
      const at = await store.time()
      for (const value of storedValues(target)) {
        await editor.block({ kind: target.kind, value, ...why, at })
      }
      await broadcast('block', target, why)
    },
    /** False if it was not blocked. */
    async unblock(target: Target, why: Why): Promise<boolean> {
      let isDone = false
      for (const value of storedValues(target)) {
        if (await editor.unblock({ kind: target.kind, value })) isDone = true
      }
      if (isDone) await broadcast('unblock', target, why)
      return isDone
    },
    /** Ends the sessions of a client or person, with their tokens; returns how many there were. */
    async end(target: Target, why: Why): Promise<number> {
      if (issuer.kind === 'external') throw new AppError('conflict', EXTERNAL)
      const ended = await endSessions(deps, target, storedValues(target))
      const at = await store.time()
      for (const sessionId of ended) {
        await node.broadcast({ kind: 'session_ended', sessionId, at })
      }
      await broadcast('end', target, why)
      return ended.length
    },
    close: () => node.close(),
  }
}

const EXTERNAL = 'Only OAUTH_ISSUER can revoke its tokens. Block the client or the person instead.'

/** Namespaces of subjects: the external issuer; or the first upstream and the ID-JAG issuers. */
function realmsOf({ auth: { issuer }, upstream }: LoadedConfig['config']): readonly string[] {
  if (issuer.kind === 'external') return [issuer.url]
  return [upstream.kind === 'demo' ? 'demo' : upstream.name, ...(issuer.idJagIssuers ?? [])]
}

/** Deletes upstream credentials without revoking them: this process connects to no upstream. */
async function endSessions(
  { config, store }: AccessControlDeps,
  { kind, value }: Target,
  owners: readonly string[],
): Promise<readonly string[]> {
  const time = await store.time()
  const started = monotonicNow()
  const now = () => time + (monotonicNow() - started)
  const tokenTtlSeconds = longestTokenSeconds(config.auth)
  const { ttlSeconds } = config.session
  const sessions = new SessionManager({ store, now }, { ttlSeconds, tokenTtlSeconds })
  const lifetimes = { ttlSeconds: tokenTtlSeconds, personalTtlSeconds: tokenTtlSeconds }
  const authorizations = new Authorizations({ store, sessions, now }, lifetimes)
  const ofPerson = async (owner: string) => [
    ...[
      ...(await authorizations.ofPerson('client', owner)),
      ...(await authorizations.ofPerson('personal', owner)),
    ].map(({ sessionId }) => sessionId),
    ...(await authorizations.visitsOf(owner)),
    ...(await authorizations.assertedOf(owner)),
  ]
  const ids =
    kind === 'client'
      ? await authorizations.ofClient(value)
      : (await Promise.all(owners.map(ofPerson))).flat()
  const ended: string[] = []
  for (const id of new Set(ids)) if (await sessions.end(id)) ended.push(id)
  return ended
}
