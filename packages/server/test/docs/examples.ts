/** The curl commands of the documents, and the responses that are shown below them. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import type { CodeBlock, Document } from './markdown.ts'

const run = promisify(execFile)

/** The URL of the server in the documents. */
const ADDRESS = 'http://localhost:6901'

export interface CurlExample extends CodeBlock {
  /** The JSON below the command; empty if none is shown. */
  readonly answer: string
}

/** `post` is a function that an earlier block defines. */
export function callsCurl({ code }: Pick<CodeBlock, 'code'>): boolean {
  return /\bcurl |^post /m.test(code)
}

export function curlExamplesOf({ blocks }: Document): CurlExample[] {
  return blocks.flatMap((block, index) => {
    const next = blocks[index + 1]
    const answer = next?.language === 'json' ? next.code : ''
    return block.language === 'sh' && callsCurl(block) ? [{ ...block, answer }] : []
  })
}

/** Runs a block against the server at `url`, with shell variables; returns its output. */
export async function runCurl(
  { code }: Pick<CodeBlock, 'code'>,
  url: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const script = code.replaceAll(ADDRESS, url)
  expect(script).not.toBe(code)
  const { stdout } = await run('sh', ['-euc', script], { env: { ...process.env, ...variables } })
  return stdout
}

/** A matcher for a block of JSON: further members may be present, and `…` is any text. */
export function shownAnswer(answer: string, url: string): unknown {
  return JSON.parse(answer.replaceAll(ADDRESS, url), (_key, value) =>
    value === '…' ? expect.any(String) : value,
  )
}
