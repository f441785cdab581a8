/** Plans one operation as a tool: everything that its generated files contain. */

import { type AnswerPlan, planAnswer } from './answer-plan.ts'
import { refusalsOf } from './bodies.ts'
import type { OpenApiDocument } from './document.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import { plainText } from './literals.ts'
import { checkOperation, type Operation, securityOf } from './operations.ts'
import { UnusableError } from './references.ts'
import { planRequest, type RequestPlan } from './request-plan.ts'
import type { ObjectNode } from './schema-node.ts'
import { titleOfName } from './tool-names.ts'

export interface ToolPlan {
  readonly operation: Operation
  readonly name: string
  readonly title: string
  readonly description: string
  readonly request: RequestPlan
  readonly input: ObjectNode
  readonly answer: AnswerPlan
  readonly refusals: readonly (readonly [status: number, text: string])[]
  readonly needsLogin: boolean
  readonly scopes: readonly string[]
  /** Computed lazily: lists do not use it. */
  readonly fingerprint: Fingerprint
}

/** An operation that cannot become a tool, and why. */
export interface Skipped {
  readonly operation: Operation
  readonly reason: string
}

/** Plans the tool of an operation. `depth` limits the nesting of objects. */
export function planTool(
  document: OpenApiDocument,
  operation: Operation,
  depth: number,
): ToolPlan | Skipped {
  try {
    return plan(document, operation, depth)
  } catch (error) {
    if (!(error instanceof UnusableError)) throw error
    return { operation, reason: error.message }
  }
}

function plan(document: OpenApiDocument, operation: Operation, depth: number): ToolPlan {
  checkOperation(operation)
  const { name, definition, method } = operation
  const request = planRequest(document, operation, depth)
  const answer = planAnswer(document, operation, depth)
  const title = plainText(definition.summary, 80) || titleOfName(name)
  const description = plainText(definition.description, 400) || title
  const refusals = refusalsOf(document.root, definition.responses)
  const { needsLogin, scopes } = securityOf(document, operation)
  const input: ObjectNode = {
    kind: 'object',
    description: '',
    nullable: false,
    fields: request.input,
    leftOut: request.leftOut,
  }
  return {
    operation,
    name,
    title,
    description,
    request,
    input,
    answer,
    refusals,
    needsLogin,
    scopes: scopes.length > 0 ? scopes : [`service:${method === 'GET' ? 'read' : 'write'}`],
    get fingerprint() {
      return fingerprintOf(document, operation)
    },
  }
}
