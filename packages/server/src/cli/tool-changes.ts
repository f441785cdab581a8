/** Reports what has changed in an OpenAPI document since tools were generated from it. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { changedParts, type Origin, readOrigin } from '../openapi/fingerprint.ts'
import type { Operation } from '../openapi/operations.ts'
import type { Skipped, ToolPlan } from '../openapi/tool-plan.ts'
import { UsageError } from './command-line.ts'

/**
 * Compares the files in `folder` with the document, and writes nothing. Ignores files of operations
 * that are not selected.
 * @throws UsageError where there is no file to compare
 */
export function reportChanges(
  folder: string,
  operations: readonly Operation[],
  plans: readonly (ToolPlan | Skipped)[],
): void {
  const files = originsIn(folder)
  if (files.length === 0) throw new UsageError(`No file in ${folder} was written from OpenAPI.`)
  const known = new Set(operations.map(({ method, path }) => `${method} ${path}`))
  const byOperation = new Map(
    plans.map((plan) => [`${plan.operation.method} ${plan.operation.path}`, plan]),
  )
  let same = 0
  for (const { file, origin } of files) {
    const plan = byOperation.get(origin.operation)
    const change = changeOf(origin, plan, known)
    if (change === undefined) same += plan === undefined ? 0 : 1
    else console.log(`${file}: ${origin.operation} ${change}`)
  }
  const written = new Set(files.map(({ origin }) => origin.operation))
  const others = [...byOperation.keys()].filter((operation) => !written.has(operation)).length
  console.log(`${same} tools are up to date; ${others} operations have no tool.`)
}

function changeOf(
  { operation, fingerprint }: Origin,
  plan: ToolPlan | Skipped | undefined,
  known: ReadonlySet<string>,
): string | undefined {
  if (!known.has(operation)) return 'is gone'
  if (plan === undefined) return undefined
  if ('reason' in plan) return `can no longer be a tool: ${plan.reason}`
  const parts = changedParts(fingerprint, plan.fingerprint)
  return parts.length === 0 ? undefined : `has changed: ${parts.join(', ')}`
}

function originsIn(folder: string): { file: string; origin: Origin }[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return names
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((file) => {
      const origin = readOrigin(readFileSync(join(folder, file), 'utf8'))
      return origin === undefined ? [] : [{ file, origin }]
    })
}
