/** A browser that an attacker controls: sends any cookie to any node in turn. */

import { expect } from 'vitest'
import type { OAuthClient } from './oauth-client.ts'

/** Cookies by name, as set by responses. */
export type Cookies = Map<string, string>

export interface AuthorizationUnderWay {
  /** The path of its consent page. */
  readonly uid: string
  readonly cookies: Cookies
  readonly verifier: string
}

interface Nodes {
  readonly url: string
  readonly urls: readonly string[]
}

let turn = 0

/** Follows no redirect: `next` is its target without our origin, or empty. */
export async function sendWith(
  { url, urls }: Nodes,
  path: string,
  cookies: Cookies,
  init: RequestInit = {},
) {
  turn += 1
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { cookie, ...(init.headers as Record<string, string>) }
  const response = await fetch(urls[turn % urls.length] + path, {
    redirect: 'manual',
    ...init,
    headers,
  })
  for (const header of response.headers.getSetCookie()) {
    const [name = '', value = ''] = header.split(';', 1)[0]?.split(/=(.*)/s) ?? []
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
  const location = response.headers.get('location') ?? ''
  const next = location.startsWith(url) ? location.slice(url.length) : location
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    next,
  }
}

/** Performs the flow up to the consent page. */
export async function beginAuthorization(
  nodes: Nodes,
  client: OAuthClient,
): Promise<AuthorizationUnderWay> {
  const cookies: Cookies = new Map()
  const { url, verifier } = client.request()
  const { next } = await sendWith(nodes, `/authorize${url.search}`, cookies)
  expect(next).toMatch(/^\/consent\//)
  return { uid: next.slice('/consent/'.length), cookies, verifier }
}
