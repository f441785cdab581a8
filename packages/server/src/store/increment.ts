/** Validates the increment of a counter. */

/** @throws RangeError unless it is a positive safe integer */
export function checkedIncrement(by: number): number {
  if (Number.isSafeInteger(by) && by > 0) return by
  throw new RangeError(`A counter cannot be increased by ${by}`)
}
