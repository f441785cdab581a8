/** The context of checks, and the facts that they record for later checks. */

import type { Arguments } from './arguments.ts'
import type { Finding } from './findings.ts'
import type { ServerMetadata } from './metadata-document.ts'

export type { ServerMetadata }

export interface Visit extends Omit<Arguments, 'json'> {
  /** Shows progress to the user. */
  readonly say: (text: string) => void
  readonly facts: Facts
}

/** A client that the doctor registered, with its redirect URI. */
export interface RegisteredClient {
  readonly id: string
  readonly redirectUri: string
}

export interface Facts {
  /** The issuer of accepted tokens, from the protected resource metadata. */
  issuer?: string | undefined
  /** The metadata of the authorization server at this origin, if valid. */
  builtIn?: ServerMetadata
  /** Why `builtIn` is undefined. */
  noBuiltIn: string
  /** Whether `/mcp` refuses callers without a token. */
  mcpIsGuarded?: boolean
  client?: RegisteredClient
  /** Valid for `/mcp`, `/http` and `/sse`. */
  accessToken?: string
  refreshToken?: string
  /** The names of the server's tools. */
  toolNames?: readonly string[]
}

/** One check, from outside, as a client. */
export interface Check {
  /** Stable, for programs. */
  readonly id: string
  readonly title: string
  readonly run: (visit: Visit) => Promise<readonly Finding[]>
}

/** The initial facts: only a token from the command line, if any. */
export function firstFacts(token: string | undefined): Facts {
  const noBuiltIn = 'It needs metadata of the authorization server.'
  return { noBuiltIn, ...(token !== undefined && token !== '' && { accessToken: token }) }
}
