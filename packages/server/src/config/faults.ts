/** The faults of a configuration: all reported at once, never with a secret's value. */

export interface ConfigFault {
  /** The name of the variable or option. */
  readonly name: string
  /** The requirement. Never includes the value. */
  readonly message: string
}

/** An invalid configuration; the message lists every fault, one per line. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ name, message }) => `  ${name} ${message}`)
    super(`The server cannot start with this configuration:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** A problem that does not prevent the start but needs the operator's attention. */
export interface ConfigWarning {
  /** Stable, for programs. */
  readonly code: string
  /** Never includes a value. */
  readonly message: string
}

/** Collects warnings, and faults: at most one per variable, the first. */
export class Faults {
  readonly #faults = new Map<string, ConfigFault>()
  readonly #warnings: ConfigWarning[] = []

  get warnings(): readonly ConfigWarning[] {
    return this.#warnings
  }

  add(name: string, message: string): void {
    if (!this.#faults.has(name)) this.#faults.set(name, { name, message })
  }

  warn(code: string, message: string): void {
    this.#warnings.push({ code, message })
  }

  throwIfAny(): void {
    if (this.#faults.size > 0) throw new ConfigError([...this.#faults.values()])
  }

  /** A view of the same collection for variables under other names; rewrites names and messages. */
  renamed(rename: (text: string) => string): Faults {
    const renamed = new Faults()
    renamed.add = (name, message) => this.add(rename(name), rename(message))
    renamed.warn = (code, message) => this.warn(code, rename(message))
    return renamed
  }
}
