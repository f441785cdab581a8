/** Direct calls to `/http` with an access token. */

import { createOAuthClient, type Params } from './oauth-client.ts'
import { withToken } from './token-app.ts'
import type { HeaderFields } from './wire.ts'

export interface DirectAnswer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  /** The parsed body. */
  readonly body: Record<string, unknown>
}

export interface DirectOptions {
  readonly headers?: HeaderFields
  readonly signal?: AbortSignal
}

/** An authorized program with its own session. */
export interface DirectCaller {
  readonly token: string
  readonly credentials: { readonly authorization: string }
  /** Posts text unchanged. */
  post(text: string, options?: DirectOptions): Promise<DirectAnswer>
  /** Makes a call. */
  call(method: string, params?: object, options?: DirectOptions): Promise<DirectAnswer>
}

/** Gets a token from the built-in server; `params` are those of the authorization request. */
export async function authorizeDirectCaller(url: string, params?: Params): Promise<DirectCaller> {
  const { access_token: token } = await (await createOAuthClient(url)).connect(params)
  const credentials = withToken(token)
  const post: DirectCaller['post'] = (text, { headers, ...options } = {}) =>
    postDirect(url, text, { ...options, headers: { ...credentials, ...headers } })
  return {
    token,
    credentials,
    post,
    call: (method, given, options) =>
      post(JSON.stringify({ method, ...(given && { params: given }) }), options),
  }
}

/** Posts text with only the credentials in `headers`. */
export async function postDirect(
  url: string,
  text: string,
  { headers, signal }: DirectOptions = {},
): Promise<DirectAnswer> {
  const fields = { 'content-type': 'application/json', ...headers }
  const init = { method: 'POST', headers: fields, body: text, signal: signal ?? null }
  const response = await fetch(`${url}/http`, init)
  const { status } = response
  const type = response.headers.get('content-type')
  const body = (await response.json()) as Record<string, unknown>
  return { status, type, headers: response.headers, body }
}
