/** A long-lived event stream that records how a proxy treats it. */

import { freshFetch } from './http.ts'

/** Permits compression, to detect proxies that compress event streams. */
const ACCEPT = { accept: 'text/event-stream, application/json', 'accept-encoding': 'gzip, br' }

/** Opens the stream; rejects if no response starts within the time. */
export async function openStream(
  url: string,
  init: {
    readonly method?: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  },
  withinMs: number,
): Promise<HeldStream> {
  const leaving = new AbortController()
  const timer = setTimeout(() => leaving.abort(new Error('no answer within its time')), withinMs)
  const headers = { ...ACCEPT, ...init.headers }
  const opened = performance.now()
  const response = await freshFetch(url, { ...init, headers, signal: leaving.signal })
  clearTimeout(timer)
  return new HeldStream(response, opened, () => leaving.abort())
}

export class HeldStream {
  readonly status: number
  readonly headers: Headers
  readonly #opened: number
  readonly #close: () => void
  readonly #wake = new Set<() => void>()
  #text = ''
  #lastMs = 0
  #silenceMs = 0
  #endedMs: number | undefined
  #failure: unknown

  /** Reads the whole response. `opened` is the monotonic time of the request. */
  constructor(response: Response, opened: number, close: () => void) {
    this.status = response.status
    this.headers = response.headers
    this.#opened = opened
    this.#close = close
    void this.#readAll(response)
  }

  /** The text received so far. */
  get text(): string {
    return this.#text
  }

  /** The longest gap between data, including the current one. */
  get longestSilenceMs(): number {
    return Math.max(this.#silenceMs, (this.#endedMs ?? this.#since()) - this.#lastMs)
  }

  /** When the remote side ended it or it failed, counted from its opening. */
  get endedMs(): number | undefined {
    return this.#endedMs
  }

  /** The error that ended it, if any. */
  get failure(): unknown {
    return this.#failure
  }

  /** Whether matching text has arrived or arrives within the time. */
  receives(fits: (text: string) => boolean, withinMs: number): Promise<boolean> {
    return this.#until(() => fits(this.#text), withinMs)
  }

  /** Resolves at the end of the stream, or after this time. */
  async hold(forMs: number): Promise<void> {
    await this.#until(() => false, Math.max(0, forMs - this.#since()))
  }

  close(): void {
    this.#close()
  }

  #since(): number {
    return performance.now() - this.#opened
  }

  async #readAll(response: Response): Promise<void> {
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body ?? []) {
        this.#silenceMs = Math.max(this.#silenceMs, this.#since() - this.#lastMs)
        this.#lastMs = this.#since()
        this.#text += decoder.decode(chunk, { stream: true })
        for (const each of this.#wake) each()
      }
    } catch (error) {
      this.#failure = error
    }
    this.#endedMs = this.#since()
    for (const each of this.#wake) each()
  }

  /** Resolves when the condition holds, the stream ends, or the time has passed. */
  #until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer)
        this.#wake.delete(look)
        resolve(isSo())
      }
      const look = () => {
        if (isSo() || this.#endedMs !== undefined) settle()
      }
      const timer = setTimeout(settle, withinMs)
      this.#wake.add(look)
      look()
    })
  }
}
