/** `npm run doctor` if a user has to sign in: reports it, or waits. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBrowser } from '../../src/testing/form-browser.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { examineServer, startDoctor, withVerdict } from '../support/doctor.ts'
import { freePort } from '../support/free-port.ts'
import { type RecordingBalancer, startRecordingBalancer } from '../support/recording-balancer.ts'

/** Changes the demo's page, so that the doctor does not recognize it. */
function disguise(body: string): string {
  return body.replaceAll('value="ada"', "value='ada'")
}

describe.each(['on-demand', 'at-authorize'])('with LOGIN=%s', { timeout: 240_000 }, (login) => {
  let app: TestApp
  let proxy: RecordingBalancer
  beforeAll(async () => {
    const port = await freePort()
    proxy = await startRecordingBalancer({
      nodes: [port],
      rewrite: ({ path, answer }) =>
        path.startsWith('/demo/idp') ? disguise(answer.body) : undefined,
    })
    const where = { PUBLIC_URL: proxy.url, MASK_MCP_PORT: String(port) }
    app = await startApp({ env: { ...where, LOGIN: login, RATE_LIMIT: 'off' } })
  })
  afterAll(async () => {
    await proxy.close()
    await app.stop()
  })

  test('it reports what requires a user', async () => {
    const diagnoses = await examineServer(proxy.url)
    expect(withVerdict(diagnoses, 'wrong')).toEqual([])
    const skipped = withVerdict(diagnoses, 'skipped').join('\n')
    const check = login === 'on-demand' ? 'upstream-sign-in' : 'sign-in'
    expect(skipped).toMatch(new RegExp(`^${check}: .* with --interactive`, 'im'))
  })

  test('it waits for a person, with --interactive', async () => {
    const { said, ended } = startDoctor([proxy.url, '--hold', '1', '--interactive'])
    const pageToOpen = () => /Open this page.*\n\n(http\S+)\n/.exec(said.err)?.[1]
    await expect.poll(pageToOpen).toBeDefined()
    const browser = createBrowser()
    const ours = await browser.open(pageToOpen() ?? '')
    const code = /the code is (\S+):/.exec(said.err)?.[1]
    const answer = code === undefined ? { decision: 'allow' } : { code }
    const provider = await browser.open(ours.url, answer)
    await browser.open(provider.url, { person: 'ada' })
    expect(await ended, said.out + said.err).toBe(0)
    expect(said.out).toMatch(/A person signed in|The user who authorizes the client is signed in/)
  })
})
