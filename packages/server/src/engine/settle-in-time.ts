/** Import timeout: names a file whose import never settles, for example a top-level `await`. */

/** Thresholds for a slow import, and for its timeout. */
export interface Waiting {
  readonly slowAfterMs?: number
  readonly longestMs?: number
  /** Called once for each slow file. */
  readonly onSlow?: (file: string, seconds: number) => void
}

const SLOW_AFTER_MS = 5000
const LONGEST_MS = 30_000

/**
 * Waits for an import. The timers keep the process alive: otherwise Node would exit with code 13
 * without naming the file.
 * @throws TypeError on timeout
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
