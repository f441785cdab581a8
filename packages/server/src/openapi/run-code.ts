/** Generates the body of a tool's `run`: its request, and its result. */

import { literal, objectLiteral, propertyKey } from './literals.ts'
import type { Assignment, EncodedBody, Part } from './request-plan.ts'
import type { ToolPlan } from './tool-plan.ts'

export function runBody(plan: ToolPlan): string {
  const { request } = plan
  const lines = [...paramsCode(request.params), ...bodyCode(request.body), ...answerCode(plan)]
  return lines.join('\n')
}

function answerCode(plan: ToolPlan): string[] {
  const { answer } = plan
  if (answer.as === 'bytes')
    return [`const { headers, body } = await ${requestCode(plan)}`, ...contentCode(plan)]
  if (answer.extras.length > 0) {
    const extras = answer.extras.map(([name, expression]) => `${name}: ${expression}`)
    const used = ['headers', 'links'].filter((part) => extras.join().includes(part))
    const names = [...(answer.isEmpty ? [] : ['body']), ...used]
    const own = answer.isEmpty
      ? 'done: true'
      : answer.wrappedIn === undefined
        ? '...body'
        : `${answer.wrappedIn}: body`
    return [
      `const { ${names.join(', ')} } = await ${requestCode(plan)}`,
      `return { ${[own, ...extras].join(', ')} }`,
    ]
  }
  const call = shortCode(plan)
  if (answer.isEmpty) return [`await ${call}`, 'return { done: true }']
  if (answer.wrappedIn === undefined) return [`return await ${call}`]
  return [`const ${answer.wrappedIn} = await ${call}`, `return { ${answer.wrappedIn} }`]
}

/** Images and audio as such, everything else as an embedded resource. */
function contentCode({ name, answer: { type } }: ToolPlan): string[] {
  const [kind = ''] = type.toLowerCase().split('/')
  return [
    "const data = Buffer.from(body).toString('base64')",
    `const mimeType = headers['content-type'] ?? ${literal(type)}`,
    kind === 'image' || kind === 'audio'
      ? `return [{ type: ${literal(kind)}, data, mimeType }]`
      : `return [{ type: 'resource', resource: { uri: ${literal(`attachment:${name}`)}, mimeType, blob: data } }]`,
  ]
}

function shortCode(plan: ToolPlan): string {
  const { operation, answer } = plan
  const type = answer.isEmpty || answer.as !== 'json' ? '' : `<${typeCode(plan)}>`
  const { method, path } = operation
  return `upstream.${method.toLowerCase()}${type}(${literal(path)}, ${argumentsCode(plan)})`
}

function requestCode(plan: ToolPlan): string {
  const { operation, answer } = plan
  const type = answer.isEmpty || answer.as !== 'json' ? '' : `<${typeCode(plan)}>`
  const { method, path } = operation
  return `upstream.request${type}(${literal(method)}, ${literal(path)}, ${argumentsCode(plan)})`
}

function typeCode({ answer }: ToolPlan): string {
  const wrapped = answer.wrappedIn === undefined ? '' : `[${literal(answer.wrappedIn)}]`
  return `z.input<typeof output>${wrapped}`
}

function argumentsCode({ operation, request, answer, refusals }: ToolPlan): string {
  const options = [
    ...(answer.as === 'json' ? [] : [`as: ${literal(answer.as)}`]),
    ...(request.headers.length > 0 ? ['headers'] : []),
    ...bodyOptions(request.body),
    ...(request.isIdempotent && operation.method !== 'GET' ? ['idempotencyKey: randomUUID()'] : []),
    refusals.length > 0
      ? 'explain: (status, body) => problemText(body) ?? refusals[status]'
      : 'explain: (_status, body) => problemText(body)',
    'signal',
  ]
  // Renamed, to distinguish it from the response body.
  const renamed = options.map((each) => (each === 'body' ? 'body: sent' : each))
  return `${request.params.length === 0 ? '{}' : 'params'}, { ${renamed.join(', ')} }`
}

function bodyOptions(body: ToolPlan['request']['body']): string[] {
  if (body === undefined) return []
  if (typeof body === 'string') return [`body: ${body}`]
  if (!isEncoded(body)) return ['body']
  return body.kind === 'bytes' ? ['body', `contentType: ${literal(body.type)}`] : ['body']
}

function bodyCode(body: ToolPlan['request']['body']): string[] {
  if (body === undefined || typeof body === 'string') return []
  if (!isEncoded(body)) return [`const sent = ${assignments(body)}`]
  if (body.kind === 'bytes') return [`const sent = Buffer.from(${body.expression}, 'base64')`]
  const type = body.kind === 'form' ? 'URLSearchParams' : 'FormData'
  return [`const sent = new ${type}()`, ...body.parts.map((part) => partCode(part, body.kind))]
}

function partCode({ name, expression, required, isList, holds }: Part, kind: string): string {
  const value = isList ? 'each' : expression
  const written =
    holds === 'file'
      ? kind === 'multipart'
        ? `new Blob([Buffer.from(${value}, 'base64')]), 'file'`
        : value
      : holds === 'json'
        ? `JSON.stringify(${value})`
        : `String(${value})`
  const append = `sent.append(${literal(name)}, ${written})`
  if (isList) return `for (const each of ${expression}${required ? '' : ' ?? []'}) ${append}`
  return required ? append : `if (${expression} !== undefined) ${append}`
}

function isEncoded(body: readonly Assignment[] | EncodedBody): body is EncodedBody {
  return !Array.isArray(body)
}

function paramsCode(params: readonly Assignment[]): string[] {
  return params.length === 0 ? [] : [`const params = ${assignments(params)}`]
}

function assignments(pairs: readonly Assignment[]): string {
  return objectLiteral(pairs.map(([name, expression]) => `${propertyKey(name)}: ${expression},`))
}
