/** The calls of docs/direct-calls.md return the shown responses, and its error codes exist. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERROR_META_KEY } from '../../src/engine/tool-error.ts'
import { toolFailure } from '../../src/mcp/direct/failure.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { authorizeDirectCaller, type DirectCaller } from '../support/direct.ts'
import { curlExamplesOf, runCurl, shownAnswer } from './examples.ts'
import { readDocuments, sectionOf } from './markdown.ts'

const document =
  readDocuments().find(({ file }) => file === 'docs/direct-calls.md') ?? expect.fail('not there')

describe('the calls', () => {
  let app: TestApp
  let caller: DirectCaller
  beforeAll(async () => {
    app = await startApp()
    caller = await authorizeDirectCaller(app.url)
  })
  afterAll(() => app.stop())

  const examples = curlExamplesOf(document)

  it.each(examples)('get the documented response: $place', async (example) => {
    const printed = await runCurl(example, app.url, { TOKEN: caller.token })
    expect(JSON.parse(printed)).toMatchObject(shownAnswer(example.answer, app.url) as object)
  })

  it('are several', () => {
    expect(examples.length).toBeGreaterThan(2)
  })
})

describe('the table of failures', () => {
  const rows = sectionOf(document, 'Failures').matchAll(/^\| (\d{3}) \| (.*) \|$/gm)
  const codes = [...rows].flatMap(([, status, cell]) =>
    [...(cell ?? '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => [code ?? '', Number(status)]),
  )
  // These are errors of the protocol and its routes, never of a tool.
  const ofTools = codes.filter(
    ([code]) => !/^(method|tool|prompt|resource)_not_found|missing_cap|^unauth/.test(String(code)),
  )

  it.each(ofTools)('%s is %i', (code, status) => {
    const failure = toolFailure({
      content: [],
      isError: true,
      _meta: { [ERROR_META_KEY]: { code } },
    })
    expect(failure.status).toBe(status)
  })

  it('never has 401 for a tool, on which callers discard the access token', () => {
    const _meta = { [ERROR_META_KEY]: { code: 'unauthorized' } }
    expect(toolFailure({ content: [], isError: true, _meta }).status).toBe(403)
  })
})
