/** What is wrong with a configuration: all of it at once, never with a secret's value. */

export interface ConfigFault {
  /** The variable's name, or the option's. */
  readonly name: string
  /** What it wants. Names no value. */
  readonly message: string
}

/** The configuration cannot be used; the message lists every fault, one a line. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ name, message }) => `  ${name} ${message}`)
    super(`The server cannot start with this configuration:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/** Something that does not keep the server from starting, and that somebody should know. */
export interface ConfigWarning {
  /** Stable, for programs. */
  readonly code: string
  /** Names no value. */
  readonly message: string
}

/** Collects faults, at most one for each variable: the first says enough. And warnings. */
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

  /** The same collection for variables that have other names: names and messages are rewritten. */
  renamed(rename: (text: string) => string): Faults {
    const renamed = new Faults()
    renamed.add = (name, message) => this.add(rename(name), rename(message))
    renamed.warn = (code, message) => this.warn(code, rename(message))
    return renamed
  }
}
