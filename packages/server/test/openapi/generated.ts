/** Generates tools from a document of the test, loads them into the real engine, and removes them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { AnyTool } from '../../src/engine/define-tool.ts'
import { discover } from '../../src/engine/discover.ts'
import { parseDocument } from '../../src/openapi/document.ts'
import { listOperations } from '../../src/openapi/operations.ts'
import { testCode } from '../../src/openapi/test-code.ts'
import { toolCode } from '../../src/openapi/tool-code.ts'
import { planTool, type ToolPlan } from '../../src/openapi/tool-plan.ts'
import { ROOT } from '../docs/markdown.ts'
import { callTool } from '../support/tools.ts'

export interface Generated {
  readonly plans: ReadonlyMap<string, ToolPlan>
  /** Reasons for skipping, by method and path. */
  readonly skipped: Readonly<Record<string, string>>
  /** Source text, by the tool's name. */
  readonly code: Readonly<Record<string, string>>
}

/** A valid document with these paths. */
export function documentOf(paths: object, further: object = {}): object {
  return { openapi: '3.1.0', info: { title: 'Test', version: '1' }, paths, ...further }
}

/** A GET that answers with JSON of this schema. */
export function operationWith(schema: unknown, further: object = {}): object {
  const content = { 'application/json': { schema } }
  return { responses: { 200: { description: 'OK', content } }, ...further }
}

export async function generate(document: object | string, depth = 3): Promise<Generated> {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  const parsed = await parseDocument(text)
  const plans = new Map<string, ToolPlan>()
  const skipped: Record<string, string> = {}
  const code: Record<string, string> = {}
  for (const operation of listOperations(parsed)) {
    const plan = planTool(parsed, operation, depth)
    if ('reason' in plan) skipped[`${operation.method} ${operation.path}`] = plan.reason
    else {
      plans.set(plan.name, plan)
      code[plan.name] = toolCode(plan)
    }
  }
  return { plans, skipped, code }
}

/** `artifacts/` is neither in git nor linted nor compiled otherwise. */
const PARENT = join(ROOT, 'artifacts')

/** Loads the tools as the server does; a tool that the engine refuses fails the test. */
export async function load({ plans, code }: Generated): Promise<(name: string) => AnyTool> {
  mkdirSync(PARENT, { recursive: true })
  const folder = mkdtempSync(join(PARENT, 'openapi-'))
  try {
    mkdirSync(join(folder, 'tools'))
    for (const [name, text] of Object.entries(code)) {
      writeFileSync(join(folder, 'tools', `${name}.ts`), text)
    }
    const { tools } = await discover(folder)
    expect([...tools.keys()].sort()).toEqual([...plans.keys()].sort())
    return (name) => tools.get(name)?.definition ?? expect.fail(`no tool ${name}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The test that comes with a tool. */
export function testOf({ plans }: Generated, name: string): string {
  return testCode(plans.get(name) ?? expect.fail(`no plan ${name}`))
}

export interface AnswerOptions {
  readonly components?: object
  readonly depth?: number
  readonly openapi?: string
}

/** The result for a caller of an API's response, with this schema in the document. */
export async function answerOf(schema: unknown, answer: unknown, options: AnswerOptions = {}) {
  const { depth, openapi = '3.1.0', components = {} } = options
  const paths = { '/x': { get: operationWith(schema, { operationId: 'probe' }) } }
  const generated = await generate(documentOf(paths, { openapi, components }), depth)
  expect(generated.skipped).toEqual({})
  const tool = (await load(generated))('probe')
  const upstream = { 'GET /x': () => answer }
  const result = await callTool(tool, {}, { signedInAs: { sub: 'ada' }, upstream })
  expect(result.isError, result.text).toBe(false)
  return { ...result, source: generated.code.probe ?? '' }
}
