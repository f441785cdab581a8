/** Generates code for plain values. */

import { literal, objectLiteral, propertyKey } from './literals.ts'

export function valueCode(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueCode).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return objectLiteral(entries.map(([name, item]) => `${propertyKey(name)}: ${valueCode(item)},`))
  }
  return literal(value as string | number | boolean | null)
}
