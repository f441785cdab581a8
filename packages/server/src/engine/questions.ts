/** Questions to the client: elicitation, sampling and roots (2026-07-28, basic/patterns/mrtr). */

import {
  type CreateMessageRequestParams,
  type CreateMessageResult,
  type InputRequest,
  inputRequired,
  inputResponse,
  isSpecType,
  type Root,
  specTypeSchemas,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { toFlatSchema } from '../output/listed-schema.ts'
import { requireText } from './context-arguments.ts'
import { listedAs } from './listed-as.ts'
import { faultsText } from './validation-text.ts'

/** The user's response to a form; `content` only if accepted. */
export type FormAnswer<T> =
  | { readonly action: 'accept'; readonly content: T }
  | { readonly action: 'decline' | 'cancel' }

/** A question and the parser of its answer; undefined for an invalid answer. */
export interface Question<Answer> {
  readonly request: InputRequest
  read(responses: Record<string, unknown>, name: string): Answer | undefined
}

/**
 * Form elicitation: asks the user to fill in a flat form. Never ask for secrets this way: the
 * answer passes through the client.
 * @throws TypeError for a schema that is not a flat `z.object(…)`, and a message that is no string
 */
export function form<Schema extends z.ZodObject>(
  message: string,
  schema: Schema,
): Question<FormAnswer<z.output<Schema>>> {
  requireText(message, 'form: the message')
  if (!(schema instanceof z.ZodObject))
    throw new TypeError('form: the schema must be a z.object(…)')
  return {
    request: inputRequired.elicit({
      message,
      requestedSchema: listedAs(schema, toFlatSchema(schema)),
    }),
    read(responses, name) {
      const view = inputResponse(responses, name)
      if (view.kind !== 'elicit') return undefined
      if (view.action !== 'accept') return { action: view.action }
      const parsed = schema.safeParse(view.content)
      return parsed.success ? { action: 'accept', content: parsed.data } : undefined
    },
  }
}

/**
 * URL elicitation: asks the user to open a page; the answer is consent only, not completion.
 * @param url absolute, https or http
 * @throws TypeError for any other, and for a message that is no string
 */
export function openUrl(
  message: string,
  url: string,
): Question<{ readonly action: 'accept' | 'decline' | 'cancel' }> {
  requireText(message, 'openUrl: the message')
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new TypeError('openUrl: the URL must be an absolute http(s) URL')
  }
  return {
    request: inputRequired.elicitUrl({ message, url }),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'elicit' ? { action: view.action } : undefined
    },
  }
}

/**
 * Sampling: asks the client's model. Deprecated by 2026-07-28 (SEP-2577), still supported.
 * @throws TypeError for invalid parameters, such as missing `messages` or `maxTokens`
 */
export function sample(params: CreateMessageRequestParams): Question<CreateMessageResult> {
  checkSampling(params)
  return {
    request: inputRequired.createMessage(params),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'sampling' && isSampled(view.result) ? view.result : undefined
    },
  }
}

function checkSampling(params: unknown): void {
  const { issues } = specTypeSchemas.CreateMessageRequestParams['~standard'].validate(params)
  if (issues === undefined) return
  throw new TypeError(`sample: the parameters are invalid: ${faultsText(issues)}`)
}

/** With tools, the content may have several blocks. */
function isSampled(result: unknown): result is CreateMessageResult {
  return isSpecType.CreateMessageResult(result) || isSpecType.CreateMessageResultWithTools(result)
}

/** Asks for the client's roots (folders). Deprecated by 2026-07-28 (SEP-2577). */
export function roots(): Question<readonly Root[]> {
  return {
    request: inputRequired.listRoots(),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'roots' && view.roots.every(isSpecType.Root) ? view.roots : undefined
    },
  }
}
