/** Suggests masks by field name; the developer decides at each `// mask?`. */

import type { SchemaNode } from './schema-node.ts'

/** The first match for a name in snake case decides how much stays visible. */
const SUGGESTIONS: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(iban|account_(number|no)|card_(number|no)|credit_card|pan)$/, '{ right: 4 }'],
  [/(^|_)(phone|mobile|fax)(_(number|no))?$/, '{ right: 2 }'],
  [/(^|_)e_?mail(_address)?$/, '{ left: 2 }'],
  [/(^|_)(password|passphrase|secret|api_?key|private_key|access_key|credentials?|otp)$/, ''],
  [
    /(^|_)(token|cvv|cvc|pin|ssn|passport(_number|_no)?|(tax|national|identity)_(id|number|no))$/,
    '',
  ],
  [
    /(^|_)(address(_?line)?_?\d?|street(_address|_name)?|postal_?code|post_?code|zip(_?code)?)$/,
    '',
  ],
  [/(^|_)(birth_?date|date_of_birth|birth_?day|dob)$/, ''],
]

/** Names that only look like secrets, such as pagination tokens. */
const HARMLESS = /(^|_)(next|prev|previous|page|cursor|continuation|sync|start|end)(_|$)/

/** The arguments of `masked` after the schema; undefined for a field that needs no mask. */
export function suggestMask(name: string, node: SchemaNode): string | undefined {
  if (node.kind !== 'string') return undefined
  const snake = name
    .slice(0, 100)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase()
  if (HARMLESS.test(snake)) return undefined
  return SUGGESTIONS.find(([pattern]) => pattern.test(snake))?.[1]
}
