/** A long-lived event stream that records how a proxy treats it. */

import { freshFetch } from './http.ts'

export interface HeldStream {
  readonly status: number
  readonly headers: Headers
  /** The text received so far. */
  readonly text: string
  /** The longest gap between data, including the current one. */
  readonly longestSilenceMs: number
  /** When the remote side ended it or it failed, counted from its opening. */
  readonly endedMs: number | undefined
  /** The error that ended it, if any. */
  readonly failure: unknown
  /** Whether matching text has arrived or arrives within the time. */
  receives(fits: (text: string) => boolean, withinMs: number): Promise<boolean>
  /** Resolves at the end of the stream, or after this time. */
  hold(forMs: number): Promise<void>
  close(): void
}

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
  return readStream(response, opened, () => leaving.abort())
}

function readStream(response: Response, opened: number, close: () => void): HeldStream {
  const received = {
    ...{ text: '', lastMs: 0, silenceMs: 0, failure: undefined as unknown },
    endedMs: undefined as number | undefined,
  }
  const since = () => performance.now() - opened
  const wake = new Set<() => void>()
  const noteSilence = () => {
    received.silenceMs = Math.max(received.silenceMs, since() - received.lastMs)
    received.lastMs = since()
  }
  const decoder = new TextDecoder()

  async function readAll(): Promise<void> {
    for await (const chunk of response.body ?? []) {
      noteSilence()
      received.text += decoder.decode(chunk, { stream: true })
      for (const each of wake) each()
    }
  }

  const ended = readAll()
    .catch((error: unknown) => {
      received.failure = error
    })
    .then(() => {
      received.endedMs = since()
      for (const each of wake) each()
    })

  /** Resolves when the condition holds, the stream ends, or the time has passed. */
  function until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer)
        wake.delete(look)
        resolve(isSo())
      }
      const look = () => {
        if (isSo() || received.endedMs !== undefined) settle()
      }
      const timer = setTimeout(settle, withinMs)
      wake.add(look)
      look()
    })
  }

  return {
    status: response.status,
    headers: response.headers,
    get text() {
      return received.text
    },
    get longestSilenceMs() {
      return Math.max(received.silenceMs, (received.endedMs ?? since()) - received.lastMs)
    },
    get endedMs() {
      return received.endedMs
    },
    get failure() {
      return received.failure
    },
    receives: (fits, withinMs) => until(() => fits(received.text), withinMs),
    async hold(forMs) {
      await until(() => false, Math.max(0, forMs - since()))
    },
    close() {
      close()
      void ended
    },
  }
}
