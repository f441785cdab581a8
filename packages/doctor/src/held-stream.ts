/** A stream of events that is held open, with all that shows how a proxy treats it. */

import { freshFetch } from './http.ts'

export interface HeldStream {
  readonly status: number
  readonly headers: Headers
  /** All that has come so far. */
  readonly text: string
  /** The longest time without anything, the time since the last included. */
  readonly longestSilenceMs: number
  /** When it ended or broke off by itself, counted from its opening. */
  readonly endedMs: number | undefined
  /** What broke it off, if something did. */
  readonly failure: unknown
  /** Whether something that fits comes within the time, or has come. */
  hears(fits: (text: string) => boolean, withinMs: number): Promise<boolean>
  /** Settles at the end of the stream, or after this time. */
  hold(forMs: number): Promise<void>
  close(): void
}

/** Proxies that compress show it when they may. */
const ACCEPT = { accept: 'text/event-stream, application/json', 'accept-encoding': 'gzip, br' }

/** Opens it; rejects when no answer begins within the time. */
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
  const heard = {
    ...{ text: '', lastMs: 0, silenceMs: 0, failure: undefined as unknown },
    endedMs: undefined as number | undefined,
  }
  const since = () => performance.now() - opened
  const wake = new Set<() => void>()
  const noteSilence = () => {
    heard.silenceMs = Math.max(heard.silenceMs, since() - heard.lastMs)
    heard.lastMs = since()
  }
  const decoder = new TextDecoder()

  async function readAll(): Promise<void> {
    for await (const chunk of response.body ?? []) {
      noteSilence()
      heard.text += decoder.decode(chunk, { stream: true })
      for (const each of wake) each()
    }
  }

  const ended = readAll()
    .catch((error: unknown) => {
      heard.failure = error
    })
    .then(() => {
      heard.endedMs = since()
      for (const each of wake) each()
    })

  /** Until it is so, the stream is over, or the time. */
  function until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer)
        wake.delete(look)
        resolve(isSo())
      }
      const look = () => {
        if (isSo() || heard.endedMs !== undefined) settle()
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
      return heard.text
    },
    get longestSilenceMs() {
      return Math.max(heard.silenceMs, (heard.endedMs ?? since()) - heard.lastMs)
    },
    get endedMs() {
      return heard.endedMs
    },
    get failure() {
      return heard.failure
    },
    hears: (fits, withinMs) => until(() => fits(heard.text), withinMs),
    async hold(forMs) {
      await until(() => false, Math.max(0, forMs - since()))
    },
    close() {
      close()
      void ended
    },
  }
}
