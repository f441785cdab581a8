/**
 * Checks what a tool passes to the functions of its context. An invalid argument is a mistake in the
 * tool: its author gets a TypeError that names the function, and the client no invalid message.
 */

import type { LoggingLevel } from '@modelcontextprotocol/server'

/** 2025-11-25, server/utilities/logging, in ascending severity. */
export const LOGGING_LEVELS: readonly LoggingLevel[] = [
  ...(['debug', 'info', 'notice', 'warning'] as const),
  ...(['error', 'critical', 'alert', 'emergency'] as const),
]

/** @throws TypeError */
export function requireText(value: unknown, what: string): void {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
}

/** JSON has neither NaN nor Infinity. @throws TypeError */
export function requireNumber(value: unknown, what: string): void {
  if (!Number.isFinite(value)) throw new TypeError(`${what} must be a finite number`)
}

/** @throws TypeError */
export function requireObject(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} must be an object`)
}

/** @throws TypeError */
export function requireLevel(value: unknown, what: string): void {
  if (LOGGING_LEVELS.includes(value as LoggingLevel)) return
  throw new TypeError(`${what} must be one of ${LOGGING_LEVELS.join(', ')}`)
}

/** @throws TypeError unless it is an absolute URI */
export function requireUri(value: unknown, what: string): void {
  if (typeof value === 'string' && URL.canParse(value)) return
  throw new TypeError(`${what} must be an absolute URI`)
}

/**
 * The value as a client or a later call reads it.
 * @throws TypeError for what JSON cannot express: undefined, functions, bigints, cycles
 */
export function toJsonValue(value: unknown, what: string): unknown {
  return JSON.parse(jsonText(value, what))
}

function jsonText(value: unknown, what: string): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw new TypeError(`${what} must be a JSON value`, { cause })
  }
  if (text === undefined) throw new TypeError(`${what} must be a JSON value`)
  return text
}
