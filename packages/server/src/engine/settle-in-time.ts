/** Names a file whose import does not settle, such as one that awaits at its top level for ever. */

/** When an import is slow, and when it is given up. */
export interface Waiting {
  readonly slowAfterMs?: number
  readonly longestMs?: number
  /** Told once of each file that is slow. */
  readonly onSlow?: (file: string, seconds: number) => void
}

const SLOW_AFTER_MS = 5000
const LONGEST_MS = 30_000

/**
 * Waits for an import. The timers keep the process alive meanwhile: with nothing else to do, Node would
 * exit with code 13 and name no file.
 * @throws TypeError when it does not settle in time
 */
export async function settleInTime<T>(
  file: string,
  importing: Promise<T>,
  { slowAfterMs = SLOW_AFTER_MS, longestMs = LONGEST_MS, onSlow }: Waiting,
): Promise<T> {
  const slow = setTimeout(() => onSlow?.(file, slowAfterMs / 1000), slowAfterMs)
  let over: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    over = setTimeout(() => {
      const seconds = longestMs / 1000
      reject(
        new TypeError(
          `its import did not settle within ${seconds} s; look for an \`await\` at its top level, or in what it imports`,
        ),
      )
    }, longestMs)
  })
  try {
    return await Promise.race([importing, late])
  } finally {
    clearTimeout(slow)
    clearTimeout(over)
  }
}
