/** Calls tools over `/http` with an existing token. */

import { type DirectAnswer, postDirect } from './direct.ts'
import { withToken } from './token-app.ts'

export interface TokenUser {
  /** Calls a tool; returns the whole response. */
  call(name: string, input?: object): Promise<DirectAnswer>
  /** Calls a tool; returns its output. */
  result(name: string, input?: object): Promise<Readonly<Record<string, unknown>>>
  /** The status of a call that requires only a token. */
  status(): Promise<number>
}

export function tokenUser(url: string, token: string): TokenUser {
  const headers = withToken(token)
  const call = (name: string, input: object = {}) =>
    postDirect(url, JSON.stringify({ method: 'tools/call', params: { name, arguments: input } }), {
      headers,
    })
  return {
    call,
    async result(name, input) {
      const { body } = await call(name, input)
      return (body.structuredContent ?? body) as Readonly<Record<string, unknown>>
    },
    async status() {
      return (await postDirect(url, JSON.stringify({ method: 'tools/list' }), { headers })).status
    },
  }
}
