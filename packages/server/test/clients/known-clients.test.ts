/**
 * Clients that do not register: identified by their metadata documents (CIMD) or by the operator.
 */

import { describe, expect, test } from 'vitest'
import { AUTHORIZED_CLIENTS } from '../support/authorized-clients.ts'
import { structured } from '../support/clients.ts'
import { startHttpsServer } from '../support/https-server.ts'
import { claimsOf, REDIRECT_URI } from '../support/oauth-client.ts'
import { createPerson, type Person } from '../support/oauth-person.ts'
import { closing, startGuarded } from './apps.ts'

const KINDS = AUTHORIZED_CLIENTS.filter(({ path }) => path === '/mcp')

function clientOf({ memory }: Person): unknown {
  return claimsOf(memory.tokens?.access_token ?? '').client_id
}

describe.each(KINDS)('$label', ({ connect }) => {
  test('is identified by its metadata document', async () => {
    const documents = closing(
      await startHttpsServer((response) => {
        const document = {
          client_id: `${documents.origin}/client.json`,
          client_name: 'Client with a document',
          redirect_uris: [REDIRECT_URI],
        }
        response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
      }),
    )
    const { url } = await startGuarded({ documentCa: documents.ca })
    const person = createPerson({ documentUrl: `${documents.origin}/client.json` })
    const client = closing(await connect(url, person))
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(clientOf(person)).toBe(`${documents.origin}/client.json`)
    expect(documents.seen).toHaveLength(1)
  })

  test.each([
    ['public', { client_id: 'house-app' }],
    ['confidential', { client_id: 'house-service', client_secret: 'a secret: with % and +' }],
  ])('is pre-registered as a %s client', async (_kind, known) => {
    const clients = [{ ...known, client_name: 'House app', redirect_uris: [REDIRECT_URI] }]
    const { url } = await startGuarded({ env: { OAUTH_CLIENTS: JSON.stringify(clients) } })
    const person = createPerson({ known })
    const client = closing(await connect(url, person))
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(clientOf(person)).toBe(known.client_id)
  })
})
