/** Reads a server-sent event stream event by event, without a library. */

import type { Message } from './wire.ts'

export interface StreamEvent {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: string
  /** The data as JSON-RPC, if it is a message. */
  readonly message: Message | undefined
}

export interface Listening {
  readonly response: Response
  readonly events: readonly StreamEvent[]
  readonly messages: readonly Message[]
  /** The last event id, for resuming. */
  readonly lastId: string | undefined
  /** The `retry` value of the server. */
  readonly retry: number | undefined
  /** The first matching event, past or future. Rejects if none arrives. */
  until(fits: (event: StreamEvent) => boolean, withinMs?: number): Promise<StreamEvent>
  /** Resolves at the end of the stream: true if it ended, false if it was aborted. */
  readonly ended: Promise<boolean>
  close(): void
}

/** Opens a GET stream. */
export async function listen(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Listening> {
  return listenTo((signal) =>
    fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal }),
  )
}

/** Reads the response of a request. */
export async function listenTo(
  send: (signal: AbortSignal) => Promise<Response>,
): Promise<Listening> {
  const leaving = new AbortController()
  const response = await send(leaving.signal)
  const events: StreamEvent[] = []
  const wake = new Set<() => void>()
  const state = { retry: undefined as number | undefined, over: false }
  const take = (frame: string) => {
    const field = (name: string) =>
      frame
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2)
    const retry = field('retry')
    if (retry !== undefined) state.retry = Number(retry)
    const data = field('data')
    if (data === undefined) return
    const message = data.startsWith('{') ? (JSON.parse(data) as Message) : undefined
    events.push({ id: field('id'), event: field('event'), data, message })
  }
  const readAll = async () => {
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      const frames = (text + decoder.decode(chunk, { stream: true })).split('\n\n')
      text = frames.pop() ?? ''
      frames.forEach(take)
      for (const each of wake) each()
    }
  }
  const ended = readAll()
    .then(
      () => true,
      () => false,
    )
    .finally(() => {
      state.over = true
      for (const each of wake) each()
    })
  return {
    response,
    events,
    get messages() {
      return events.flatMap(({ message }) => message ?? [])
    },
    get lastId() {
      return events.findLast(({ id }) => id !== undefined)?.id
    },
    get retry() {
      return state.retry
    },
    until: (fits, withinMs = 30_000) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void) => {
          wake.delete(look)
          clearTimeout(timer)
          finish()
        }
        const missed = () => new Error(`not received: ${fits}\nreceived: ${JSON.stringify(events)}`)
        const look = () => {
          const found = events.find(fits)
          if (found !== undefined) settle(() => resolve(found))
          else if (state.over) settle(() => reject(missed()))
        }
        const timer = setTimeout(() => settle(() => reject(missed())), withinMs)
        wake.add(look)
        look()
      }),
    ended,
    close: () => leaving.abort(),
  }
}

/** For `until`: a message with this method. */
export function withMethod(method: string): (event: StreamEvent) => boolean {
  return ({ message }) => message?.method === method
}

/** For `until`: the response to this request. */
export function responseTo(id: string | number): (event: StreamEvent) => boolean {
  return ({ message }) => message?.id === id && message.method === undefined
}
