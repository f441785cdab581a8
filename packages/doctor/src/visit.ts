/** What checks are given, and the board on which they write what later ones need. */

import type { Arguments } from './arguments.ts'
import type { Finding } from './findings.ts'
import type { ServerMetadata } from './metadata-document.ts'

export type { ServerMetadata }

export interface Visit extends Omit<Arguments, 'json'> {
  /** Tells the person what happens meanwhile. */
  readonly say: (text: string) => void
  readonly facts: Facts
}

/** A client of ours, and where it is sent back to. */
export interface RegisteredClient {
  readonly id: string
  readonly redirectUri: string
}

export interface Facts {
  /** Whose tokens are good here, by what the resources say. */
  issuer?: string | undefined
  /** The metadata of an authorization server that is at this address, if it is sound. */
  builtIn?: ServerMetadata
  /** Why there is none. */
  noBuiltIn: string
  /** Whether `/mcp` refuses callers without a token. */
  mcpIsGuarded?: boolean
  client?: RegisteredClient
  /** Good at `/mcp`, `/http` and `/sse`. */
  accessToken?: string
  refreshToken?: string
  /** What the server offers. */
  toolNames?: readonly string[]
}

/** One thing that is looked at, from outside, as a client would. */
export interface Check {
  /** Stable, for programs. */
  readonly id: string
  readonly title: string
  readonly run: (visit: Visit) => Promise<readonly Finding[]>
}

/** Nothing is known yet but, perhaps, a token that somebody gave the doctor. */
export function firstFacts(token: string | undefined): Facts {
  const noBuiltIn = 'It needs metadata of the authorization server.'
  return { noBuiltIn, ...(token !== undefined && token !== '' && { accessToken: token }) }
}
