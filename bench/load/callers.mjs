/** The headers of one caller after the other. */

import { readFileSync } from 'node:fs'

/** Far apart, so that neighbours in memory are not neighbours in time. */
const STRIDE = 7919

/** Returns the headers for each request of a job in turn. */
export function readCallers({ headers, callers, columns }) {
  if (callers === undefined) return () => headers
  const lines = readFileSync(callers, 'utf8').trimEnd().split('\n')
  let next = 0
  return () => {
    next = (next + STRIDE) % lines.length
    const values = lines[next].split('\t')
    const own = Object.fromEntries(columns.map((column, index) => [column, values[index]]))
    return { ...headers, ...own }
  }
}
