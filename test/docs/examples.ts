/** Commands with curl in the documents, and the answers that are shown below them. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import type { CodeBlock, Document } from './markdown.ts'

const run = promisify(execFile)

/** Where the documents say that the server is. */
const ADDRESS = 'http://localhost:6901'

export interface CurlExample extends CodeBlock {
  /** The JSON below the command; empty where none is shown. */
  readonly answer: string
}

export function curlExamplesOf({ blocks }: Document): CurlExample[] {
  return blocks.flatMap((block, index) => {
    const next = blocks[index + 1]
    const answer = next?.language === 'json' ? next.code : ''
    return block.language === 'sh' && block.code.includes('curl ') ? [{ ...block, answer }] : []
  })
}

/** Runs a block against the server at `url`, with `TOKEN` set, and gives what it prints. */
export async function runCurl({ code }: CodeBlock, url: string, token: string): Promise<string> {
  const script = code.replaceAll(ADDRESS, url)
  expect(script).not.toBe(code)
  const { stdout } = await run('sh', ['-euc', script], { env: { ...process.env, TOKEN: token } })
  return stdout
}

/** What a block of JSON promises: members it does not show may be there, and `…` is any text. */
export function shownAnswer(answer: string, url: string): unknown {
  return JSON.parse(answer.replaceAll(ADDRESS, url), (_key, value) =>
    value === '…' ? expect.any(String) : value,
  )
}
