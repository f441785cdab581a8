/** Sign-in links that are guessed, edited, replayed or sent to another user (session fixation). */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { recordingStore } from '../support/recording-store.ts'
import {
  enterCode,
  login,
  newBrowser,
  sessionState,
  signInAs,
  submitCode,
  WRONG_CODE,
} from '../support/sign-in.ts'
import { postModern, read } from '../support/wire.ts'

const { store, written } = recordingStore()
let app: TestApp
beforeAll(async () => {
  app = await startApp({ store })
})
afterAll(() => app.stop())

describe('the code', () => {
  test.each([
    ['lower case', (code: string) => code.toLowerCase()],
    ['without the dash', (code: string) => code.replace('-', '')],
    ['with spaces', (code: string) => ` ${code.replace('-', ' ')} `],
    ['with O for 0 and I for 1', (code: string) => code.replace(/0/g, 'O').replace(/1/g, 'I')],
  ])('is valid %s', async (_how, typed) => {
    const { url, code } = await login(app.url)
    expect((await submitCode(url, typed(code))).status).toBe(303)
  })

  test.each(['', WRONG_CODE, 'x', '%', "' OR 1=1 --", '0'.repeat(3000)])(
    'that is "%s" is wrong, and the page shows the remaining attempts',
    async (code) => {
      const link = await login(app.url)
      const response = await submitCode(link.url, code)
      expect(response.status).toBe(422)
      expect(await response.text()).toContain('Tries left: 4.')
      expect((await submitCode(link.url, link.code)).status).toBe(303)
    },
  )

  test('of another link is wrong', async () => {
    const [one, other] = [await login(app.url), await login(app.url)]
    expect((await submitCode(one.url, other.code)).status).toBe(422)
  })

  test('five wrong codes invalidate the link, also for the right code', async () => {
    const link = await login(app.url)
    const statuses = []
    for (let count = 0; count < 5; count += 1) {
      statuses.push((await submitCode(link.url, WRONG_CODE)).status)
    }
    expect(statuses).toEqual([422, 422, 422, 422, 410])
    expect((await submitCode(link.url, link.code)).status).toBe(410)
    expect((await fetch(link.url)).status).toBe(410)
    expect(await sessionState(app.url, link.session)).toBe('anonymous')
  })

  test('guessed forty times concurrently is checked five times', async () => {
    const link = await login(app.url)
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => submitCode(link.url, WRONG_CODE)),
    )
    const wrong = answers.filter(({ status }) => status === 422)
    expect(wrong.length).toBeLessThan(5)
    expect((await submitCode(link.url, link.code)).status).toBe(410)
  })

  test('sent twenty times concurrently succeeds once', async () => {
    const link = await login(app.url)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => submitCode(link.url, link.code)),
    )
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(19)
  })
})

describe('the link', () => {
  test('works once', async () => {
    const link = await login(app.url)
    await signInAs(newBrowser(), link)
    expect((await fetch(link.url)).status).toBe(410)
    expect((await submitCode(link.url, link.code)).status).toBe(410)
  })

  test('that was edited is invalid', async () => {
    const { url, code } = await login(app.url)
    const handle = url.slice(url.lastIndexOf('/') + 1)
    const last = handle.endsWith('A') ? 'B' : 'A'
    for (const edited of [
      `${handle.slice(0, -1)}${last}`,
      handle.slice(0, -1),
      `${handle}A`,
      handle.toUpperCase(),
      handle.replace('lnk_', ''),
      handle.replace('lnk_', 'ses_'),
      'lnk_',
      '*',
      '__proto__',
    ]) {
      expect((await fetch(`${app.url}/connect/${edited}`)).status).toBe(410)
      expect((await submitCode(`${app.url}/connect/${edited}`, code)).status).toBe(410)
    }
  })

  test('is stored as a hash, with the hash of its code, and expires', async () => {
    const before = written.length
    const { url, code, session } = await login(app.url)
    const handle = url.slice(url.lastIndexOf('/') + 1)
    const stored = written.slice(before)
    const link = stored.find(({ key }) => key.startsWith('sign-in-link:'))
    expect(link?.ttlSeconds).toBe(600)
    expect(JSON.stringify(stored)).not.toContain(handle)
    expect(JSON.stringify(stored)).not.toContain(code)
    expect(JSON.stringify(link)).toContain(session)
  })
})

test('a user without the code cannot use the link of another user', async () => {
  const attacker = await login(app.url)
  const victim = newBrowser()
  const page = await enterCode(victim, attacker.url, WRONG_CODE)
  expect(page.status).toBe(422)
  expect(page.text).toContain('Continue only if your own assistant showed you this code.')
  expect(victim.cookies).toEqual([])
  expect(await sessionState(app.url, attacker.session)).toBe('anonymous')
})

test('a call that only requests a sign-in stores nothing', async () => {
  const before = written.length
  await read(postModern(app.url, 'tools/call', { name: 'service' }))
  await read(postModern(app.url, 'tools/call', { name: 'logout' }))
  expect(written).toHaveLength(before)
})
