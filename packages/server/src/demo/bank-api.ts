/** The sample API: a small bank that checks the access token of every request. */

import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { findOwner, type Person } from './people.ts'

export interface DemoBankApiDeps {
  /** The owner of an access token; undefined if the token is unknown, expired or revoked. */
  verifyToken(token: string): Promise<Person | undefined>
}

type Variables = { Variables: { person: Person; owner: Person } }

/** Creates the API; mount it at its own path. */
export function createDemoBankApi(deps: DemoBankApiDeps): Hono<Variables> {
  const api = new Hono<Variables>()

  api.use(async (c, next) => {
    const [, token] = /^Bearer ([\w.~+/=-]+)$/i.exec(c.req.header('authorization') ?? '') ?? []
    const person = token && (await deps.verifyToken(token))
    if (!person) {
      // RFC 6750 §3.1: an error code only when a token was sent.
      const challenge = token ? ', error="invalid_token"' : ''
      return c.json({ error: 'unauthorized' }, 401, {
        'www-authenticate': `Bearer realm="demo bank"${challenge}`,
      })
    }
    c.set('person', person)
    return next()
  })

  const ownAccount = createMiddleware<Variables, '/accounts/:id'>(async (c, next) => {
    const id = c.req.param('id')
    const person = c.get('person')
    const owner = id === 'me' ? person : findOwner(id)
    if (!owner) return c.json({ error: 'not_found' }, 404)
    if (owner !== person) return c.json({ error: 'forbidden' }, 403)
    c.set('owner', owner)
    return next()
  })

  api.get('/accounts/:id', ownAccount, (c) => {
    const { name, email, account } = c.get('owner')
    const { transactions: _, id, ...details } = account
    return c.json({ id, owner: name, email, ...details })
  })

  api.get('/accounts/:id/transactions', ownAccount, (c) =>
    c.json(c.get('owner').account.transactions),
  )

  api.notFound((c) => c.json({ error: 'not_found' }, 404))
  return api
}
