/** Clients that start the server: both eras, from connecting to signing out. */

import { expect, test } from 'vitest'
import { headingOf } from '../../src/testing/form-browser.ts'
import { errorCode, structured } from '../support/clients.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'
import { expectOnlyProtocol, STDIO_CALLERS } from './clients.ts'

const MASKED = { owner: 'Ada Lovelace', accountNumber: '****5555' }

test.each(Object.entries(STDIO_CALLERS))(
  'a user signs in at pages of the process: %s',
  async (_name, connect) => {
    const caller = await connect({ LOG_LEVEL: 'trace' })
    expect(errorCode(await caller.call('service'))).toBe('login_required')
    const link = structured<SignInLink>(await caller.call('login'))
    expect(link.url).toMatch(/^http:\/\/localhost:\d+\/connect\/lnk_/)
    expect(link.session).toBeUndefined()
    expect(headingOf(await signInAs(newBrowser(), link))).toBe('Login successful')

    const service = await caller.call('service')
    expect(service.structuredContent).toMatchObject(MASKED)
    expect(JSON.stringify(service)).not.toContain('55555555')
    expect(structured(await caller.call('session'))).toMatchObject({ state: 'authenticated' })
    expect(structured(await caller.call('logout'))).toEqual({ ended: true })
    expect(errorCode(await caller.call('service'))).toBe('login_required')
    expect(structured(await caller.call('session'))).toEqual({ state: 'anonymous' })

    await caller.close()
    expectOnlyProtocol(caller.output.stdout)
    expect(caller.output.stderr).toContain('"msg":"ready"')
    expect(caller.output.stderr).toContain('"level":"trace"')
    expect(caller.output.stdout).not.toContain('"level"')
  },
)

test.each(Object.entries(STDIO_CALLERS).filter(([name]) => name.startsWith('v2')))(
  'a client that opens URLs gets a request, and the call continues: %s',
  async (_name, connect) => {
    const opened: string[] = []
    const caller = await connect({}, async (url, message) => {
      const [, code = ''] = /code: (\S+)/.exec(message) ?? []
      opened.push(headingOf(await signInAs(newBrowser(), { url, code })))
    })
    expect((await caller.call('service')).structuredContent).toMatchObject(MASKED)
    expect(opened).toEqual(['Login successful'])
    await caller.close()
    expectOnlyProtocol(caller.output.stdout)
  },
)
