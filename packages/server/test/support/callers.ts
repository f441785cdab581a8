/** The three official clients behind one interface. */

import { connectClient, connectClientV1 } from './clients.ts'

export interface CallResult {
  readonly content?: unknown
  readonly structuredContent?: unknown
  readonly isError?: boolean | undefined
  readonly _meta?: unknown
}

export interface Caller {
  /** A caller without an MCP session passes the session handle from `login`. */
  call(tool: string, input?: Readonly<Record<string, unknown>>): Promise<CallResult>
  close(): Promise<void>
}

/** Connects to the server at this URL. */
export type ConnectCaller = (url: string) => Promise<Caller>

export const CALLERS: Readonly<Record<string, ConnectCaller>> = {
  'v1 client, 2025-11-25': async (url) => {
    const client = await connectClientV1(url)
    return {
      call: async (name, input = {}) => client.callTool({ name, arguments: { ...input } }),
      close: () => client.close(),
    }
  },
  'v2 client, 2025-11-25': async (url) => {
    const { client } = await connectClient(url, '2025-11-25')
    return {
      call: (name, input = {}) => client.callTool({ name, arguments: { ...input } }),
      close: () => client.close(),
    }
  },
  'v2 client, 2026-07-28': async (url) => {
    const { client } = await connectClient(url, '2026-07-28')
    let handle: { readonly session?: string } = {}
    return {
      async call(name, input = {}) {
        const result = await client.callTool({ name, arguments: { ...handle, ...input } })
        const given = result.structuredContent as { session?: string } | undefined
        if (name === 'login' && given?.session !== undefined) handle = { session: given.session }
        return result
      },
      close: () => client.close(),
    }
  },
}
