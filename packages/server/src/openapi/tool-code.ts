/** Generates the file of a tool. */

import { originLine } from './fingerprint.ts'
import { commentText, literal, objectLiteral, propertyKey } from './literals.ts'
import { runBody } from './run-code.ts'
import { objectCode } from './schema-code.ts'
import type { ToolPlan } from './tool-plan.ts'

/** The tool as source text; formatters may break its lines. */
export function toolCode(plan: ToolPlan): string {
  const { name, title, description, operation, fingerprint } = plan
  const { method, path } = operation
  const isContent = plan.answer.as === 'bytes'
  const output = isContent ? '' : objectCode(plan.answer.output, 'output')
  const input = objectCode(plan.input, 'input')
  const body = runBody(plan)
  const usesMasks = /\bmasked\(/.test(output + input)
  const define = isContent ? 'defineContentTool' : 'defineTool'
  const names = [define, ...(usesMasks ? ['masked'] : []), 'problemText']
  const parts = [
    `/** \`${name}\`: ${commentText(title)} */`,
    '',
    originLine({ operation: `${method} ${path}`, fingerprint }),
    '',
    plan.request.isIdempotent ? `import { randomUUID } from 'node:crypto'` : undefined,
    `import { ${names.join(', ')} } from '@mcp-template/server'`,
    `import { z } from 'zod'`,
    '',
    ...(isContent ? [] : [`const output = ${output}`, '']),
    ...headersCode(plan),
    ...refusalsCode(plan),
    `export default ${define}({`,
    `name: ${literal(name)},`,
    `title: ${literal(title)},`,
    `description: ${literal(description)},`,
    `input: ${input},`,
    isContent ? undefined : 'output,',
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

/** Unknown behaviour is declared as the more dangerous one. */
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
    '/** Headers that the API requires: fill them in. */',
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
