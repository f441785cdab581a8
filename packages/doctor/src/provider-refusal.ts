/** Recognizes the error page of an identity provider that does not know this server. */

import type { Page } from '../../server/src/testing/form-browser.ts'
import { type Finding, wrong } from './findings.ts'

/** Undefined if the page may be a regular one: some providers refuse non-browsers. */
export function refusalOf({ url, status, text }: Page): Finding | undefined {
  if (status < 400) return undefined
  if (/redirect[ _-]?ur[il]|callback[ _-]?ur[il]/i.test(text)) {
    return wrong(
      `${url.host} refuses the redirect URI (${status}).`,
      'Register PUBLIC_URL/callback there, exactly: https, host, port and path.',
    )
  }
  if (/invalid_client|unauthorized_client|client[ _-]?id|unknown client/i.test(text)) {
    return wrong(
      `${url.host} does not know the client (${status}).`,
      'Compare UPSTREAM_CLIENT_ID with the registration at the provider.',
    )
  }
  return undefined
}
