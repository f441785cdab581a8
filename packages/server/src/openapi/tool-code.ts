/** Writes the file of a tool. */

import { originLine } from './fingerprint.ts'
import { commentText, literal, objectLiteral, propertyKey } from './literals.ts'
import type { Assignment } from './request-plan.ts'
import { objectCode } from './schema-code.ts'
import type { ToolPlan } from './tool-plan.ts'

/** The tool as source text; formatters may break its lines. */
export function toolCode(plan: ToolPlan): string {
  const { name, title, description, operation, fingerprint, refusals } = plan
  const { method, path } = operation
  const output = objectCode(plan.answer.output, 'output')
  const input = objectCode(plan.input, 'input')
  const body = runBody(plan)
  const usesMasks = /\bmasked\(/.test(output + input)
  const names = ['defineTool']
  if (usesMasks) names.push('masked')
  if (refusals.length > 0) names.push('ToolError', 'UpstreamError')
  const parts = [
    `/** \`${name}\`: ${commentText(title)} */`,
    '',
    originLine({ operation: `${method} ${path}`, fingerprint }),
    '',
    plan.request.isIdempotent ? `import { randomUUID } from 'node:crypto'` : undefined,
    `import { ${names.join(', ')} } from '@mcp-template/server'`,
    `import { z } from 'zod'`,
    '',
    `const output = ${output}`,
    '',
    ...headersCode(plan),
    ...refusalsCode(plan),
    'export default defineTool({',
    `name: ${literal(name)},`,
    `title: ${literal(title)},`,
    `description: ${literal(description)},`,
    `input: ${input},`,
    'output,',
    requirementsCode(plan),
    `annotations: ${ANNOTATIONS[method]},`,
    method === 'GET' ? undefined : '// rateLimit: { calls: 10, perSeconds: 60 },',
    `async run({ ${plan.input.fields.length > 0 ? 'input, ' : ''}upstream, signal }) {`,
    body,
    '},',
    '})',
    '',
  ]
  return parts.filter((part) => part !== undefined).join('\n')
}

/** What is not known is announced as the more dangerous. */
const ANNOTATIONS = {
  GET: '{ readOnlyHint: true }',
  POST: '{ destructiveHint: true }',
  PUT: '{ destructiveHint: true, idempotentHint: true }',
  PATCH: '{ destructiveHint: true }',
  DELETE: '{ destructiveHint: true, idempotentHint: true }',
} as const

function requirementsCode({ needsLogin, scopes }: ToolPlan): string {
  const list = `[${scopes.map(literal).join(', ')}]`
  return `requires: { ${needsLogin ? 'login: true, ' : ''}scopes: ${list} },`
}

function headersCode({ request }: ToolPlan): string[] {
  if (request.headers.length === 0) return []
  const entries = request.headers.map(([name, value]) => `${propertyKey(name)}: ${literal(value)},`)
  return [
    '/** What the API wants to be sent: fill it in. */',
    `const headers = ${objectLiteral(entries)}`,
    '',
  ]
}

function refusalsCode({ refusals }: ToolPlan): string[] {
  if (refusals.length === 0) return []
  const entries = refusals.map(([status, text]) => `${status}: ${literal(text)},`)
  return [
    '/** Why the API refuses, for the model; by status. */',
    `const refusals: Readonly<Record<number, string>> = ${objectLiteral(entries)}`,
    '',
  ]
}

function runBody(plan: ToolPlan): string {
  const { answer, refusals, request } = plan
  const lines = [
    ...paramsCode(request.params),
    ...(typeof request.body === 'object' ? [`const body = ${assignments(request.body)}`] : []),
  ]
  const call = callCode(plan)
  const work = answer.isEmpty
    ? [`await ${call}`, 'return { done: true }']
    : answer.wrappedIn === undefined
      ? [`return await ${call}`]
      : [`const ${answer.wrappedIn} = await ${call}`, `return { ${answer.wrappedIn} }`]
  if (refusals.length === 0) return [...lines, ...work].join('\n')
  const guarded = [
    'try {',
    ...work,
    '} catch (error) {',
    'const status = error instanceof UpstreamError ? error.status : undefined',
    'const refusal = status === undefined ? undefined : refusals[status]',
    'if (refusal === undefined) throw error',
    "throw new ToolError(refusal, { code: 'refused', cause: error })",
    '}',
  ]
  return [...lines, ...guarded].join('\n')
}

function paramsCode(params: readonly Assignment[]): string[] {
  return params.length === 0 ? [] : [`const params = ${assignments(params)}`]
}

function assignments(pairs: readonly Assignment[]): string {
  return objectLiteral(pairs.map(([name, expression]) => `${propertyKey(name)}: ${expression},`))
}

function callCode({ operation, request, answer }: ToolPlan): string {
  const { method, path } = operation
  const options = [
    ...(request.headers.length > 0 ? ['headers'] : []),
    ...(request.body === undefined ? [] : [bodyOption(request.body)]),
    ...(request.isIdempotent && method !== 'GET' ? ['idempotencyKey: randomUUID()'] : []),
    'signal',
  ]
  const wrapped = answer.wrappedIn === undefined ? '' : `[${literal(answer.wrappedIn)}]`
  const type = answer.isEmpty ? '' : `<z.input<typeof output>${wrapped}>`
  const params = request.params.length === 0 ? '{}' : 'params'
  return `upstream.${method.toLowerCase()}${type}(${literal(path)}, ${params}, { ${options.join(', ')} })`
}

function bodyOption(body: string | readonly Assignment[]): string {
  return typeof body === 'string' ? `body: ${body}` : 'body'
}
