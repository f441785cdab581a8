/** Form fields whose values have display titles (2025-11-25, client/elicitation; SEP-1330). */

import { z } from 'zod'

type Titles<Value extends string> = Readonly<Record<Value, string>>

/**
 * Single choice; each value is shown by its title: `choice({ de: 'German', en: 'English' })`.
 * @throws TypeError without a choice, and for a title that is no string
 */
export function choice<Value extends string>(titles: Titles<Value>): z.ZodType<Value> {
  checkTitles(titles)
  const isValue = (given: string) => Object.hasOwn(titles, given)
  const field = z.string().refine(isValue, 'is not one of the choices')
  return field.meta({ oneOf: options(titles) }) as unknown as z.ZodType<Value>
}

/** Multiple choice; each value is shown by its title. `.min()` and `.max()` bound the number. */
export function choices<Value extends string>(titles: Titles<Value>): z.ZodArray<z.ZodType<Value>> {
  return z.array(choice(titles)).meta({ items: { anyOf: options(titles) } })
}

function checkTitles(titles: unknown): void {
  const all: unknown[] = Array.isArray(titles) ? [] : Object.values(titles ?? {})
  if (all.length > 0 && all.every((title) => typeof title === 'string')) return
  throw new TypeError('choice: the choices must be an object of titles, by value')
}

function options(titles: Titles<string>) {
  return Object.entries(titles).map(([value, title]) => ({ const: value, title }))
}
