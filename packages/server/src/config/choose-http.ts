/** Addresses, limits and proxies of the HTTP server. */

import { defined } from './defined.ts'
import type { Faults } from './faults.ts'
import { isLoopbackHost } from './loopback.ts'
import type { HttpConfig } from './shape.ts'
import type { RawVariables } from './sources.ts'
import type { Variables } from './variables.ts'

export function chooseHttp(raw: RawVariables, variables: Variables, faults: Faults): HttpConfig {
  const publicUrl = variables.PUBLIC_URL
  if (variables.NODE_ENV === 'production') {
    if (raw.PUBLIC_URL === undefined) faults.add('PUBLIC_URL', 'is required in production')
    if (publicUrl?.startsWith('http:') && !isLoopbackHost(new URL(publicUrl).hostname)) {
      faults.add('PUBLIC_URL', 'must use https in production')
    }
  }
  // A page that knows no token can do nothing: /mcp, /sse and /http ignore cookies.
  if (variables.ALLOWED_ORIGINS.includes('*') && variables.MCP_AUTH !== 'required') {
    faults.add('ALLOWED_ORIGINS', 'requires MCP_AUTH=required for *')
  }
  return {
    host: variables.MASK_MCP_HOST,
    port: variables.MASK_MCP_PORT,
    ...defined({ publicUrl }),
    allowedHosts: variables.ALLOWED_HOSTS,
    allowedOrigins: variables.ALLOWED_ORIGINS,
    bodyLimitBytes: variables.BODY_LIMIT_BYTES,
    bodyMaxValues: variables.BODY_MAX_VALUES,
    maxBodyBytesInProgress: variables.MAX_BODY_BYTES_IN_PROGRESS,
    maxSockets: variables.MAX_SOCKETS,
    keepAliveSeconds: variables.KEEP_ALIVE_TIMEOUT,
    trustedProxies: variables.TRUSTED_PROXIES,
    rateLimit: variables.RATE_LIMIT !== 'off',
    countsThisMachine: variables.RATE_LIMIT === 'on' || variables.NODE_ENV === 'production',
    callerRate: variables.RATE_LIMIT_CALLER,
    addressRate: variables.RATE_LIMIT_ADDRESS,
    storedRate: variables.RATE_LIMIT_STORED_BYTES,
    maxStreams: variables.MAX_STREAMS,
    ...defined({ maxStreamSeconds: variables.STREAM_MAX_SECONDS }),
    maxNodeStreams: variables.MAX_NODE_STREAMS,
    maxCalls: variables.MAX_CALLS,
    maxConnections: variables.MAX_CONNECTIONS,
    stopDelaySeconds: variables.STOP_DELAY,
    // For tests only, which compare the fast path with the SDK.
    fastPath: variables.NODE_ENV !== 'test' || raw.MCP_FAST_PATH !== 'off',
  }
}
