/** The doctor on several upstreams: finds the one whose provider is unavailable. */

import { expect, test } from 'vitest'
import { examineServer, withVerdict } from '../support/doctor.ts'
import { startSeveral } from '../support/several-upstreams.ts'

test('each upstream with a sign-in is checked', async () => {
  const { url, staff } = await startSeveral()
  const said = withVerdict(await examineServer(url), 'ok').join('\n')
  expect(said).toContain(`The link to staff leads to ${new URL(staff.idp.issuer).host}.`)
  expect(said).toContain('People paste keys for tickets.')
})

test('an unavailable provider of a named upstream is reported', async () => {
  const { url } = await startSeveral({ UPSTREAM_STAFF_ISSUER: 'http://127.0.0.1:1' })
  const said = withVerdict(await examineServer(url), 'wrong').join('\n')
  expect(said).toMatch(
    /upstream-sign-in: The page of the link to staff answers 502.*UPSTREAM_STAFF_ISSUER/s,
  )
})
