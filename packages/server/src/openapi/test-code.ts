/** Generates the test of a tool. */

import { literal, objectLiteral, propertyKey } from './literals.ts'
import { sampleOf } from './samples.ts'
import { hasMasks } from './schema-code.ts'
import type { ToolPlan } from './tool-plan.ts'

export function testCode(plan: ToolPlan): string {
  const { name, operation, answer, refusals } = plan
  const route = literal(`${operation.method} ${operation.path}`)
  const input = sampleOf(plan.input, { isAnswer: false })
  const output = sampleOf(answer.output, { isAnswer: true })
  const isContent = answer.as === 'bytes'
  const sent = sentValue(plan, output.value)
  const isMasked = [...plan.input.fields, ...answer.output.fields].some(hasMasks)
  const needsInput = plan.input.fields.some(
    ({ required, node }) =>
      required && !(node.kind === 'number' && node.fallback !== undefined) && node.kind !== 'any',
  )
  const [refusal] = refusals
  const secrets = output.secrets.map(literal).join(', ')
  const parts = [
    `/** \`${name}\`: what its caller sees. */`,
    '',
    `import { callTool${secrets === '' ? '' : ', expectNoLeak'} } from '@mcp-template/server/testing'`,
    "import { expect, test } from 'vitest'",
    `import tool from ${literal(`./${name}.ts`)}`,
    '',
    "const signedIn = { signedInAs: { sub: 'ada' } }",
    `const input = ${valueCode(input.value)}`,
    `const answer = ${isContent ? 'new Uint8Array([1, 2, 3])' : valueCode(sent)}`,
    '',
    "test('answers with what the API sends', async () => {",
    `const upstream = { ${route}: answer }`,
    'const result = await callTool(tool, input, { ...signedIn, upstream })',
    'expect(result.isError, result.text).toBe(false)',
    `expect(result.requests.map(({ route }) => route)).toEqual([${route}])`,
    isContent ? CONTENT : undefined,
    isMasked || isContent
      ? undefined
      : `expect(result.structuredContent).toEqual(${expected(plan)})`,
    secrets === '' ? undefined : `expectNoLeak(result, [${secrets}])`,
    '})',
    ...(needsInput ? REFUSES_NOTHING : []),
    ...(refusal === undefined ? [] : refusalTest(route, refusal)),
    '',
  ]
  return parts.filter((part) => part !== undefined).join('\n')
}

const CONTENT = 'expect(result.content).toHaveLength(1)'

/** The API's response, without the fields that come from its headers. */
function sentValue({ answer }: ToolPlan, value: unknown): unknown {
  if (answer.isEmpty) return null
  const fields = value as Readonly<Record<string, unknown>>
  if (answer.wrappedIn !== undefined) return fields[answer.wrappedIn]
  const extras = answer.extras.map(([name]) => name)
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !extras.includes(name)))
}

function expected({ answer }: ToolPlan): string {
  if (answer.isEmpty) return '{ done: true }'
  return answer.wrappedIn === undefined ? 'answer' : `{ ${answer.wrappedIn}: answer }`
}

const REFUSES_NOTHING = [
  '',
  "test('refuses a call without arguments', async () => {",
  'const result = await callTool(tool, {}, signedIn)',
  "expect(result.code).toBe('invalid_arguments')",
  '})',
]

function refusalTest(route: string, [status, text]: readonly [number, string]): string[] {
  return [
    '',
    "test('says why the API refuses', async () => {",
    `const upstream = { ${route}: new Response(null, { status: ${status} }) }`,
    'const result = await callTool(tool, input, { ...signedIn, upstream })',
    `expect([result.isError, result.text]).toEqual([true, ${literal(text)}])`,
    '})',
  ]
}

function valueCode(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueCode).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return objectLiteral(entries.map(([name, item]) => `${propertyKey(name)}: ${valueCode(item)},`))
  }
  return literal(value as string | number | boolean | null)
}
