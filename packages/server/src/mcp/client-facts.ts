/** Client info and capabilities: in each 2026-era request, or in a 2025-era `initialize`. */

import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type InitializeRequest,
  PROTOCOL_VERSION_META_KEY,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { ToolClient } from '../engine/tool-context.ts'
import { cutToBytes } from '../store/text-bytes.ts'
import type { ClientFacts } from './request-context.ts'

/** Limit of the stored client name and versions, in UTF-8 bytes; longer texts are truncated. */
export const CLIENT_TEXT_BYTES = 100

/** The client fields in a 2026-era request's `_meta`. The SDK validates but does not type them. */
export interface ClientEnvelope {
  readonly [CLIENT_INFO_META_KEY]?: { readonly name: string }
  readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities
  readonly [PROTOCOL_VERSION_META_KEY]?: string
}

export interface CallingClient {
  readonly era: '2025' | '2026'
  readonly facts: ClientFacts
  readonly can: ToolClient['can']
}

/** The client of a request; for the 2025 era from the `initialize` that `server` has received. */
export function callingClient({ mcpReq }: ServerContext, server: Server): CallingClient {
  const envelope = mcpReq.envelope as ClientEnvelope | undefined
  if (envelope !== undefined) return clientOf(envelope)
  return clientOfMcpSession(server)
}

/** A client of the 2025 era, from the `initialize` that the server has received. */
export function clientOfMcpSession(server: Server): CallingClient {
  const facts = factsOf(server.getClientVersion()?.name, server.getNegotiatedProtocolVersion())
  return { era: '2025', facts, can: abilities(server.getClientCapabilities()) }
}

/** A client of the 2025 era, from the stored `initialize` of its MCP session. */
export function clientOfInitialize({ initialize, protocolVersion }: Initialized): CallingClient {
  const facts = factsOf(initialize?.clientInfo.name, protocolVersion ?? undefined)
  return { era: '2025', facts, can: abilities(initialize?.capabilities) }
}

interface Initialized {
  readonly initialize: InitializeRequest['params'] | null
  readonly protocolVersion: string | null
}

/** A client of the 2026 era. */
export function clientOf(envelope: ClientEnvelope): CallingClient {
  const info = envelope[CLIENT_INFO_META_KEY]
  const facts = factsOf(info?.name, envelope[PROTOCOL_VERSION_META_KEY])
  return { era: '2026', facts, can: abilities(envelope[CLIENT_CAPABILITIES_META_KEY]) }
}

function factsOf(name: string | undefined, protocolVersion: string | undefined): ClientFacts {
  return {
    ...(name !== undefined && { clientName: cutToBytes(name, CLIENT_TEXT_BYTES) }),
    ...(protocolVersion !== undefined && {
      protocolVersion: cutToBytes(protocolVersion, CLIENT_TEXT_BYTES),
    }),
  }
}

function abilities(capabilities: ClientCapabilities | undefined): ToolClient['can'] {
  const { elicitation, sampling, roots } = capabilities ?? {}
  return {
    // 2025-11-25, client/elicitation: an empty object means forms.
    fillForms: elicitation !== undefined && (elicitation.form !== undefined || !elicitation.url),
    openUrls: elicitation?.url !== undefined,
    sample: sampling !== undefined,
    listRoots: roots !== undefined,
  }
}
