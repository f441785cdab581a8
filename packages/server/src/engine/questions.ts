/** Questions a tool or prompt may put to its client, and what comes back (2026-07-28, basic/patterns/mrtr). */

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

/** What people said to a form: `content` is there if they accepted. */
export type FormAnswer<T> =
  | { readonly action: 'accept'; readonly content: T }
  | { readonly action: 'decline' | 'cancel' }

/** A question, and how its answer is read; undefined for an answer that does not fit. */
export interface Question<Answer> {
  readonly request: InputRequest
  read(responses: Record<string, unknown>, name: string): Answer | undefined
}

/**
 * Asks people to fill in a form of plain fields. Never ask for secrets this way: the answer passes
 * through the client.
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

/** Asks people to open a page; the answer says whether they agreed to, not what they did there. */
export function openUrl(
  message: string,
  url: string,
): Question<{ readonly action: 'accept' | 'decline' | 'cancel' }> {
  return {
    request: inputRequired.elicitUrl({ message, url }),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'elicit' ? { action: view.action } : undefined
    },
  }
}

/** Asks the client's model. Deprecated by 2026-07-28 (SEP-2577), served for clients that have it. */
export function sample(params: CreateMessageRequestParams): Question<CreateMessageResult> {
  return {
    request: inputRequired.createMessage(params),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'sampling' ? (view.result as CreateMessageResult) : undefined
    },
  }
}

/** Asks which folders the client works in. Deprecated by 2026-07-28 (SEP-2577). */
export function roots(): Question<readonly Root[]> {
  return {
    request: inputRequired.listRoots(),
    read(responses, name) {
      const view = inputResponse(responses, name)
      return view.kind === 'roots' ? view.roots : undefined
    },
  }
}
