/** Questions to the client: elicitation, sampling and roots (2026-07-28, basic/patterns/mrtr). */

import {
  type CreateMessageRequestParams,
  type CreateMessageResult,
  type InputRequest,
  inputRequired,
  inputResponse,
  type Root,
} from '@modelcontextprotocol/server'
import type { z } from 'zod'
import { toFlatSchema } from '../output/listed-schema.ts'
import { listedAs } from './listed-as.ts'

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
 */
export function form<Schema extends z.ZodObject>(
  message: string,
  schema: Schema,
): Question<FormAnswer<z.output<Schema>>> {
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
 * @throws TypeError for any other
 */
export function openUrl(
  message: string,
  url: string,
): Question<{ readonly action: 'accept' | 'decline' | 'cancel' }> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
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

/** Sampling: asks the client's model. Deprecated by 2026-07-28 (SEP-2577), still supported. */
export function sample(params: CreateMessageRequestParams): Question<CreateMessageResult> {
  return {
    request: inputRequired.createMessage(params),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'sampling' ? (view.result as CreateMessageResult) : undefined
    },
  }
}

/** Asks for the client's roots (folders). Deprecated by 2026-07-28 (SEP-2577). */
export function roots(): Question<readonly Root[]> {
  return {
    request: inputRequired.listRoots(),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'roots' ? view.roots : undefined
    },
  }
}
