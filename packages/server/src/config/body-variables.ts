/** The variables that limit request bodies and sockets of one node. */

import { facts } from './facts.ts'
import { integer } from './values.ts'

const MEBIBYTE = 1024 * 1024

export const bodyVariables = {
  BODY_MAX_VALUES: integer(100, 10_000_000).default(10_000).register(facts, {
    what: 'How many values the JSON of a request may have: elements of arrays and members of objects; more are refused with 400, before they are parsed.',
  }),
  MAX_BODY_BYTES_IN_PROGRESS: integer(64 * 1024, 64 * 1024 * MEBIBYTE)
    .default(64 * MEBIBYTE)
    .register(facts, {
      what: 'How many bytes of request bodies a node keeps in memory at a time, until their requests are answered; more are refused with 503. Bodies up to 16 KiB are not counted.',
    }),
  MAX_SOCKETS: integer(1, 1_000_000).default(10_000).register(facts, {
    what: 'How many connections a node accepts; further ones are closed at once. At most the limit on open files minus 200.',
  }),
  KEEP_ALIVE_TIMEOUT: integer(1, 7200).default(65).register(facts, {
    what: 'Keep-alive timeout of an idle connection, in seconds; must be longer than that of the load balancer in front.',
  }),
}
