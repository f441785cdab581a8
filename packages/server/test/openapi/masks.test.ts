/** Masks are proposed by name, and apply whatever the schema. */

import { describe, expect, it } from 'vitest'
import { expectNoLeak } from '../support/tools.ts'
import { answerOf } from './generated.ts'

const text = { type: 'string' }

describe('masks', () => {
  it('are proposed by name, at any depth', async () => {
    const schema = {
      type: 'object',
      properties: {
        iban: text,
        contactEmail: { type: ['string', 'null'] },
        phone_numbers: { type: 'array', items: { type: 'object', properties: { phone: text } } },
        'access-token': text,
        address: { oneOf: [text, { type: 'integer' }] },
        keys: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { api_key: text } },
        },
      },
    }
    const secrets = {
      iban: 'DE89370400440532013000',
      contactEmail: 'ada@example.com',
      phone_numbers: [{ phone: '+447700900123' }],
      'access-token': 'tok-123456789',
      address: '1 Long Street',
      keys: { main: { api_key: 'key-123456789' } },
    }
    const result = await answerOf(schema, secrets)
    expectNoLeak(result, [
      ...[secrets.iban, secrets.contactEmail, '+447700900123', 'tok-123456789', '1 Long Street'],
      'key-123456789',
    ])
    expect(result.source.match(/\/\/ mask\?/g)).toHaveLength(6)
  })

  it('are not proposed for merely similar names', async () => {
    const names = [
      'next_page_token',
      'email_verified_at',
      'token_type',
      'address_id',
      'pinned',
      'cursor',
    ]
    const properties = Object.fromEntries(names.map((name) => [name, text]))
    expect((await answerOf({ type: 'object', properties }, {})).source).not.toContain('masked')
  })

  it('apply where alternatives mix texts with other types', async () => {
    const email = { anyOf: [text, { type: 'array', items: text }, { enum: ['none'] }] }
    const schema = { type: 'object', properties: { email } }
    expectNoLeak(await answerOf(schema, { email: ['ada@example.com'] }), ['ada@example.com'])
    expectNoLeak(await answerOf(schema, { email: 'ada@example.com' }), ['ada@example.com'])
  })
})
