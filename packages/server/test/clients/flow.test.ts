/** From a 401 to a response: the official clients discover and authorize themselves. */

import { describe, expect, test } from 'vitest'
import { AUTHORIZED_CLIENTS } from '../support/authorized-clients.ts'
import { errorCode, structured } from '../support/clients.ts'
import { createPerson } from '../support/oauth-person.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { closing, startGuarded } from './apps.ts'

describe.each(AUTHORIZED_CLIENTS)('$label', ({ path, connect }) => {
  test('registers, is authorized once, and calls a tool', async () => {
    const { url } = await startGuarded()
    const person = createPerson()
    const client = closing(await connect(url, person))
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(person.sentTo).toHaveLength(1)
    const asked = person.sentTo[0]?.searchParams
    expect(asked?.get('resource')).toBe(url + path)
    expect(asked?.get('scope')).toBe('mcp service:read')
    expect(asked?.get('client_id')).toMatch(/^cli_/)
    expect(person.memory.tokens).toMatchObject({ scope: 'mcp service:read' })
  })

  test('signs its user in upstream, gets masked data, and after logout begins again', async () => {
    const { url } = await startGuarded()
    const person = createPerson()
    const client = closing(await connect(url, person))
    expect(errorCode(await client.call('service'))).toBe('login_required')
    const link = structured<SignInLink>(await client.call('login'))
    const page = await signInAs(newBrowser(), link)
    expect(page.text).toContain('Login successful')
    const account = await client.call('service')
    expect(structured(account)).toMatchObject({
      accountNumber: expect.stringMatching(/^\*+\d{4}$/),
    })
    await client.call('logout')
    expect(structured(await client.call('session'))).toMatchObject({ state: 'anonymous' })
    expect(person.sentTo).toHaveLength(2)
  })
})
