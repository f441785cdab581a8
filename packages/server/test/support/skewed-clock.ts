/** A process with clock skew. */

/**
 * The variables of a process in which `Date` is off by the given time. Monotonic time is unaffected,
 * as on a machine whose clock was set wrongly.
 */
export function skewedClock(skewMs: number): Readonly<Record<string, string>> {
  const preload = `
    const right = Date
    const now = () => right.now() + ${skewMs}
    globalThis.Date = new Proxy(right, {
      construct: (target, given, as) =>
        Reflect.construct(target, given.length === 0 ? [now()] : given, as),
      apply: () => new Date().toString(),
      get: (target, name) => (name === 'now' ? now : target[name]),
    })`
  const address = `data:text/javascript;base64,${Buffer.from(preload).toString('base64')}`
  return { NODE_OPTIONS: `--import ${address}` }
}
