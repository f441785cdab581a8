/** What checks are given, and the board on which they write what later ones need. */

import type { ClientProfile } from './client-profiles.ts'
import type { Finding } from './findings.ts'

export interface Visit {
  /** Where clients reach the server, without a slash at the end. */
  readonly base: string
  /** How long streams are held open, in milliseconds. */
  readonly holdMs: number
  /** Whether a person is there to sign in. */
  readonly interactive: boolean
  /** The clients that it has to work with. */
  readonly profiles: readonly ClientProfile[]
  /** Whether those were named; otherwise all are tried, and what only some need is no fault. */
  readonly areNamed: boolean
  /** Tells the person what happens meanwhile. */
  readonly say: (text: string) => void
  readonly facts: Facts
}

/** RFC 8414, 2: what clients use of it. */
export interface ServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly registration_endpoint?: string
  readonly revocation_endpoint?: string
  readonly introspection_endpoint?: string
  readonly code_challenge_methods_supported?: readonly string[]
  readonly authorization_response_iss_parameter_supported?: boolean
  readonly client_id_metadata_document_supported?: boolean
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
