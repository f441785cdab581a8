/** Reads process figures from `/proc`. On other systems the figures are missing, without errors. */

import { readFileSync } from 'node:fs'

/** Clock ticks per second (`getconf CLK_TCK`): 100 on every Linux. */
const TICKS = 100

/** CPU time of a process so far, in seconds. */
export function cpuSeconds(pid: number): number {
  // The name in parentheses may contain spaces; later fields do not.
  const fields = read(pid, 'stat').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) / TICKS
}

/** Resident memory, in megabytes. */
export function residentMegabytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status'))?.[1] ?? Number.NaN) / 1024
}

function read(pid: number, file: 'stat' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
