/** How a server introduces itself to clients and people (`defineServer`): checks it. */

import { z } from 'zod'
import { defined } from './defined.ts'

/** An image of the server, as the protocol has it (2025-11-25, schema, `Icon`). */
export interface ServerIcon {
  /** An https address, or `data:` with the image itself. */
  readonly src: string
  readonly mimeType?: string
  /** Such as `48x48`, or `any`. */
  readonly sizes?: readonly string[]
  readonly theme?: 'light' | 'dark'
}

export interface ServerIntroduction {
  /**
   * For the model: what the server is for and how its tools go together, in up to 2,048 characters, of
   * which many clients read no more.
   */
  readonly instructions?: string
  /** What the server is for, in a sentence or two; `branding.description` is the same. */
  readonly description?: string
  /** Where people read about it: an http or https address. */
  readonly websiteUrl?: string
  /** Further images besides `branding.logo`, of 16 KiB together: each answer of 2026-07-28 has them. */
  readonly icons?: readonly ServerIcon[]
  /** What each scope permits, in words for the consent page, such as `{ 'tickets:read': 'Read your tickets' }`. */
  readonly scopes?: Readonly<Record<string, string>>
}

const MOST_INSTRUCTIONS = 2048
const MOST_ICONS = 16 * 1024

const icon = z.strictObject({
  src: z.string().regex(/^(https:\/\/\S+|data:image\/\S+)$/),
  mimeType: z.string().min(1).optional(),
  sizes: z.array(z.string().regex(/^(\d+x\d+|any)$/)).optional(),
  theme: z.enum(['light', 'dark']).optional(),
})

const wanted = {
  instructions: z.string().trim().min(1).max(MOST_INSTRUCTIONS),
  description: z.string().trim().min(1),
  websiteUrl: z.string().regex(/^https?:\/\/\S+$/),
  icons: z.array(icon).refine((icons) => JSON.stringify(icons).length <= MOST_ICONS),
  // RFC 6749, section 3.3.
  scopes: z.record(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/), z.string().trim().min(1)),
} satisfies Record<keyof ServerIntroduction, z.ZodType>

const HINTS: Record<keyof ServerIntroduction, string> = {
  instructions: `a text of up to ${MOST_INSTRUCTIONS} characters`,
  description: 'a text',
  websiteUrl: 'an http or https address',
  icons: `a list of { src, mimeType, sizes } of up to ${MOST_ICONS} bytes, with src an https address or data:image/…`,
  scopes: "an object of scopes and texts, such as { 'tickets:read': 'Read your tickets' }",
}

/** Why an introduction cannot be used; undefined when it can. */
export function introductionFault(given: ServerIntroduction): string | undefined {
  for (const name of Object.keys(wanted) as (keyof ServerIntroduction)[]) {
    if (!wanted[name].optional().safeParse(given[name]).success) {
      return `${name} must be ${HINTS[name]}`
    }
  }
  return undefined
}

/** Its part of the configuration, copied, since that is frozen; undefined where nothing is said. */
export function chooseIntroduction({
  instructions,
  websiteUrl,
  icons,
  scopes,
}: ServerIntroduction): ServerIntroduction | undefined {
  const chosen = defined({ instructions: instructions?.trim(), websiteUrl, icons, scopes })
  return Object.keys(chosen).length === 0 ? undefined : structuredClone(chosen)
}
