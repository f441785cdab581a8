/** Validates how a server describes itself to clients and people (`defineServer`). */

import { z } from 'zod'
import { defined } from './defined.ts'

/** An icon of the server, as in the protocol (2025-11-25, schema, `Icon`). */
export interface ServerIcon {
  /** An https URL, or a `data:` URL with the image itself. */
  readonly src: string
  readonly mimeType?: string
  /** Such as `48x48`, or `any`. */
  readonly sizes?: readonly string[]
  readonly theme?: 'light' | 'dark'
}

export interface ServerIntroduction {
  /**
   * For the model: what the server is for and how its tools work together, up to 2,048 characters;
   * many clients read no more.
   */
  readonly instructions?: string
  /** The purpose of the server, in a sentence or two; `branding.description` is an alias. */
  readonly description?: string
  /** The website of the server: an http or https URL. */
  readonly websiteUrl?: string
  /**
   * Icons in addition to `branding.logo`, up to 16 KiB in total: every answer of 2026-07-28
   * includes them.
   */
  readonly icons?: readonly ServerIcon[]
  /** Permissions by scope, for the consent page: `{ 'tickets:read': 'Read your tickets' }`. */
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

/** The fault of an introduction; undefined if it is valid. */
export function introductionFault(given: ServerIntroduction): string | undefined {
  for (const name of Object.keys(wanted) as (keyof ServerIntroduction)[]) {
    if (!wanted[name].optional().safeParse(given[name]).success) {
      return `${name} must be ${HINTS[name]}`
    }
  }
  return undefined
}

/**
 * Its part of the configuration; a copy, since the configuration is frozen. Undefined if the
 * declaration has none.
 */
export function chooseIntroduction({
  instructions,
  websiteUrl,
  icons,
  scopes,
}: ServerIntroduction): ServerIntroduction | undefined {
  const chosen = defined({ instructions: instructions?.trim(), websiteUrl, icons, scopes })
  return Object.keys(chosen).length === 0 ? undefined : structuredClone(chosen)
}
