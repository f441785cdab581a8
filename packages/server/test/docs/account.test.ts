/** docs/account.md: its configuration starts, and its script gets the documented response. */

import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeToken } from '../support/account.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { curlExamplesOf, runCurl, shownAnswer } from './examples.ts'
import { readDocuments } from './markdown.ts'

const document =
  readDocuments().find(({ file }) => file === 'docs/account.md') ?? expect.fail('not there')

let app: TestApp
beforeAll(async () => {
  const [block] = document.blocks.filter(({ language }) => language === 'dotenv')
  const [name = '', value = ''] = (block?.code ?? '').trim().split('=')
  app = await startApp({ env: { [name]: value } })
})
afterAll(() => app.stop())

it.each(curlExamplesOf(document))(
  'the script gets the documented response: $place',
  async (example) => {
    const { token } = await makeToken(app.url)
    const printed = await runCurl(example, app.url, { TOKEN: token })
    expect(JSON.parse(printed)).toMatchObject(shownAnswer(example.answer, app.url) as object)
  },
)
