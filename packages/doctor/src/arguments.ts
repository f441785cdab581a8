/** Parses the command line: the server, the client profiles, and the duration. */

import { parseArgs } from 'node:util'
import { type ClientProfile, PROFILES } from './client-profiles.ts'

/** Exceeds the idle timeouts of proxies: 60, 100 or 120 seconds. */
const HOLD_SECONDS = 130
const LONGEST_HOLD_SECONDS = 3600

export const USAGE = `Usage: npx @mcp-template/doctor URL [options]
       npx @mcp-template/doctor --token - [URL]   explains an access token from standard input

  URL              where clients reach the server, such as https://mcp.example.com
  --client NAME    strict checks for this client only; repeatable: ${PROFILES.map(({ name }) => name).join(', ')}
  --hold SECONDS   how long streams are held open (${HOLD_SECONDS})
  --interactive    wait for a person to sign in, except at the demo's provider
  --json           print the report as JSON

The variable DOCTOR_TOKEN is the access token to use if the doctor cannot get one itself.
Exit code: 0 when nothing is wrong, 1 otherwise, 2 when the command is invalid.`

/** The message is for the user. */
export class UsageError extends Error {}

export interface Arguments {
  /** The server's URL, without a trailing slash. */
  readonly base: string
  /** The clients that the server must support. */
  readonly profiles: readonly ClientProfile[]
  /**
   * Whether the user named the profiles; otherwise all are checked, and a requirement of only some
   * is no fault.
   */
  readonly areNamed: boolean
  /** How long streams are held open. */
  readonly holdMs: number
  /** Whether a user is present to sign in. */
  readonly interactive: boolean
  readonly json: boolean
}

/** @throws UsageError */
export function parseArguments(args: readonly string[]): Arguments {
  const { values, positionals } = parse(args)
  const [address, ...others] = positionals
  if (address === undefined) throw new UsageError('Name a server.')
  if (others.length > 0) throw new UsageError('One server at a time.')
  const seconds = Number(values.hold ?? HOLD_SECONDS)
  if (!(seconds >= 1 && seconds <= LONGEST_HOLD_SECONDS)) {
    throw new UsageError(`--hold takes seconds, from 1 to ${LONGEST_HOLD_SECONDS}.`)
  }
  return {
    base: baseOf(address),
    profiles: values.client === undefined ? PROFILES : values.client.map(profileOf),
    areNamed: values.client !== undefined,
    holdMs: seconds * 1000,
    interactive: values.interactive === true,
    json: values.json === true,
  }
}

export interface TokenArguments {
  /** The source of the token; `-` for standard input. */
  readonly token: string
  /** The server that should accept the token. */
  readonly base: string | undefined
}

/**
 * The arguments of the command that explains a token; undefined for any other command.
 * @throws UsageError
 */
export function parseTokenArguments(args: readonly string[]): TokenArguments | undefined {
  const { values, positionals } = parse(args)
  if (values.token === undefined) return undefined
  const [address, ...others] = positionals
  if (others.length > 0) throw new UsageError('One server at a time.')
  return { token: values.token, base: address === undefined ? undefined : baseOf(address) }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        client: { type: 'string', multiple: true },
        hold: { type: 'string' },
        interactive: { type: 'boolean' },
        json: { type: 'boolean' },
        token: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Accepts the endpoint URL too, which users copy from their clients. */
function baseOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`This is not an http or https address: ${address}`)
  }
  const path = url.pathname.replace(/\/(?:mcp|http|sse)?\/?$/, '')
  return url.origin + path
}

function profileOf(name: string): ClientProfile {
  const profile = PROFILES.find((each) => each.name === name)
  if (profile === undefined) throw new UsageError(`Unknown client: ${name}.`)
  return profile
}
