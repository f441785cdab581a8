/** Declarations that the compiler would refuse, in projects that do not run it. */

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMcp } from '../../src/create-mcp.ts'
import { defineServer } from '../../src/define-server.ts'
import { compilePrompt } from '../../src/engine/compile-prompt.ts'
import { compileResource } from '../../src/engine/compile-resource.ts'
import { compileTool } from '../../src/engine/compile-tool.ts'
import { defineHook, definePrompt, defineResource, defineTool } from '../../src/engine/index.ts'

const input = z.object({})
const tool = defineTool({
  ...{ name: 'orders', description: 'Lists.', input, output: z.object({ id: z.string() }) },
  run: async () => ({ id: '1' }),
})
const resource = defineResource({ name: 'order', uri: 'shop://{id}', read: async () => 'x' })
const prompt = definePrompt({
  ...{ name: 'chase', description: 'Asks.', arguments: input, render: () => 'x' },
})

/** As in JavaScript: bypasses the types, which would refuse it. */
const given = (more: object) => more as never

function faultOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  return 'none'
}

describe('a tool', () => {
  it.each<[more: object, fault: RegExp]>([
    [{ require: { login: true } }, /^require is not a field of a tool; there are .*\brequires\b/],
    [{ visable: () => false }, /^visable is not a field/],
    [{ visible: true }, /^visible must be a function/],
    [{ requires: { logn: true } }, /^requires\.logn is not a field .*login, session, scopes/],
    [{ requires: { scopes: 'orders:read' } }, /^requires\.scopes must be a list of scopes/],
    [{ requires: { scopes: ['a b'] } }, /^requires\.scopes must be/],
    [{ requires: { session: 'yes' } }, /^requires\.session must be true or false/],
    [{ requires: true }, /^requires must be an object/],
    [{ title: 5 }, /^title must be a text/],
    [{ icons: [{ source: 'x.png' }] }, /^icons must be a list of icons/],
    [{ icons: [{ src: 'https://a.example/a.png', sizes: '48x48' }] }, /^icons must be a list/],
    [{ icons: [{ src: 'https://a.example/a.png', theme: 'blue' }] }, /^icons must be a list/],
    [{ annotations: ['readOnlyHint'] }, /^annotations must be an object/],
    [{ annotations: { readonlyHint: true } }, /^annotations must be an object of readOnlyHint/],
    [{ annotations: { destructiveHint: 'yes' } }, /^annotations must be an object of readOnly/],
    [{ timeoutSeconds: '5' }, /^timeoutSeconds must be a number/],
  ])('with %o is refused', (more, fault) => {
    expect(faultOf(() => compileTool(given({ ...tool, ...more })))).toMatch(fault)
  })

  it('may have all hints and icons', () => {
    const annotations = { title: 'A', readOnlyHint: true, destructiveHint: false }
    const icons = [{ src: 'a.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' }]
    const more = { annotations: { ...annotations, idempotentHint: undefined }, icons }
    expect(faultOf(() => compileTool(given({ ...tool, ...more })))).toBe('none')
    const ofResource = { annotations: { audience: ['user'], priority: 0.5 }, size: 0, icons }
    expect(faultOf(() => compileResource(given({ ...resource, ...ofResource })))).toBe('none')
  })

  it('may leave fields undefined', () => {
    const more = { title: undefined, visible: undefined, requires: undefined }
    expect(faultOf(() => compileTool(given({ ...tool, ...more })))).toBe('none')
  })

  it.each([
    [
      { input: z.object({ on: z.object({ day: z.date() }) }) },
      'input field on.day: a date cannot be represented in JSON Schema',
    ],
    [{ output: z.object({ ids: z.array(z.bigint()) }) }, 'output field ids: a bigint cannot'],
    [
      { output: z.object({ a: z.string().transform(Number) }) },
      'output field a: a transform cannot be represented in JSON Schema: declare the type of its result, and convert the value in the code',
    ],
    [{ output: z.object({ a: z.map(z.string(), z.string()) }) }, 'declare z.record(…)'],
    [{ output: z.object({}).optional() }, 'output must not be optional as a whole'],
    [{ output: z.union([z.string(), z.number().optional()]) }, 'output must not be optional'],
    [
      { output: z.date() },
      'output field (root): a date cannot be represented in JSON Schema: declare z.iso',
    ],
  ])('names the field that cannot be listed: %#', (more, fault) => {
    expect(faultOf(() => compileTool(given({ ...tool, ...more })))).toContain(fault)
  })
})

describe('a resource', () => {
  it.each<[more: object, fault: RegExp]>([
    [{ mimetype: 'text/plain' }, /^mimetype is not a field of a resource; .*\bmimeType\b/],
    [{ mimeType: 5 }, /^mimeType must be a text/],
    [{ cache: { ttl: 5 } }, /^cache must be \{ ttlMs, cacheScope \}/],
    [{ cache: { cacheScope: 'everyone' } }, /^cache must be/],
    [{ cache: { ttlMs: -1 } }, /^cache must be/],
    [{ cache: { ttlMs: Number.POSITIVE_INFINITY } }, /^cache must be/],
    [{ cache: { ttlMs: 0.5 } }, /^cache must be/],
    [{ size: Number.NaN }, /^size must be a number of bytes/],
    [{ size: -1 }, /^size must be a number of bytes/],
    [{ annotations: { audience: 'user' } }, /^annotations must be an object of audience/],
    [{ annotations: { audience: ['model'] } }, /^annotations must be/],
    [{ annotations: { priority: 2 } }, /^annotations must be/],
    [{ annotations: { readOnlyHint: true } }, /^annotations must be/],
    [{ complete: { id: ['a'] } }, /^complete must be an object of functions/],
    [{ complete: { di: () => [] } }, /^complete names "di", which is no variable of uri/],
    [{ requires: { scopes: [5] } }, /^requires\.scopes must be/],
  ])('with %o is refused', (more, fault) => {
    expect(faultOf(() => compileResource(given({ ...resource, ...more })))).toMatch(fault)
  })
})

describe('a prompt', () => {
  it.each<[more: object, fault: RegExp]>([
    [{ args: input }, /^args is not a field of a prompt; .*\barguments\b/],
    [{ arguments: undefined }, /^arguments must be a z\.object\(…\); z\.object\(\{\}\) for none/],
    [{ arguments: z.object({ on: z.date() }) }, /^arguments field on: a date/],
    [{ visible: 'admin' }, /^visible must be a function/],
  ])('with %o is refused', (more, fault) => {
    expect(faultOf(() => compilePrompt(given({ ...prompt, ...more })))).toMatch(fault)
  })
})

it('names the place of a declaration of another kind', () => {
  expect(faultOf(() => compileTool(given(resource)))).toBe(
    'it is a resource, not a tool: it belongs into src/resources/',
  )
  expect(faultOf(() => compileResource(given(tool)))).toContain('it belongs into src/tools/')
  const hook = defineHook({ name: 'audit', before: () => undefined })
  expect(faultOf(() => compilePrompt(given(hook)))).toContain('`hooks` of defineServer')
})

describe('a server', () => {
  const before = () => undefined
  it.each<[more: object, fault: RegExp]>([
    [{ hooks: [{}] }, /^hooks\[0\]: name is missing/],
    [{ hooks: [{ name: 'audit' }] }, /^hook "audit" must have before or after/],
    [{ hooks: [{ name: 'audit', befor: before }] }, /^hook "audit": befor is not a field/],
    [{ hooks: [{ name: 'audit', before: true }] }, /^hook "audit": before must be a function/],
    [{ hooks: [[{ name: 'audit', before }]] }, /^hooks\[0\] must be a hook/],
    [{ hooks: [tool] }, /^hook "orders": it is a tool, not a hook/],
    [{ routes: [undefined] }, /^routes\[0\] is no route/],
    [{ routes: [[]] }, /^routes\[0\] is a list: write \.\.\.list/],
    [{ routes: [{ path: '/a', method: 'GET', bodyLimit: 1 }] }, /bodyLimit is not a field/],
  ])('with %o is refused', (more, fault) => {
    expect(faultOf(() => defineServer(given({ name: 'shop', ...more })))).toMatch(fault)
  })
})

it.each<[more: object, fault: string]>([
  [{ setting: z.object({}) }, 'setting is not one of settings, services, upstreams'],
  [{ settings: { A: z.string() } }, 'settings must be a z.object(…)'],
  [{ services: {} }, 'services must be a function'],
  [{ upstreams: 'shipping' }, 'upstreams must be a list of names'],
])('createMcp refuses %o', (more, fault) => {
  expect(faultOf(() => createMcp(given(more)))).toContain(`createMcp: ${fault}`)
})
