/** The standard variables for outgoing proxies, which other programs read as well. */

import { facts } from './facts.ts'
import { list, proxyUrl } from './values.ts'

const PROXY = 'the http or https address of a proxy, such as http://proxy.example.com:3128'

export const proxyVariables = {
  HTTPS_PROXY: proxyUrl(PROXY).optional().register(facts, {
    what: 'The proxy for requests to https addresses: sign-in, tokens, metadata documents and the API. May hold a user and a password, percent-encoded. `https_proxy` is read as well, and takes precedence.',
    secret: true,
  }),
  HTTP_PROXY: proxyUrl(PROXY).optional().register(facts, {
    what: 'The same for http addresses; the tunnel is opened by CONNECT here too.',
    secret: true,
  }),
  NO_PROXY: list(/^[^\s/]+(\/\d{1,3})?$/, 'host names or networks separated by commas, or *')
    .default([])
    .register(facts, {
      what: 'Hosts that are requested without a proxy, with their subdomains: `localhost`, `.internal.example.com`, `10.0.0.5:8080`, `10.0.0.0/8`; `*` for all.',
    }),
}

/** The lower-case spellings that curl and others read; they win if both are set. */
export const PROXY_ALIASES: ReadonlyMap<string, keyof typeof proxyVariables> = new Map([
  ['https_proxy', 'HTTPS_PROXY'],
  ['http_proxy', 'HTTP_PROXY'],
  ['no_proxy', 'NO_PROXY'],
])
