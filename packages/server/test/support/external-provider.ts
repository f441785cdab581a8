/** An external identity provider and API, on one origin. */

import { randomBytes } from 'node:crypto'
import { onTestFinished } from 'vitest'
import { startDemo } from '../demo/demo-server.ts'
import {
  type Exchange,
  type RecordingOptions,
  startRecordingBalancer,
} from './recording-balancer.ts'

export interface OutsideProvider {
  readonly exchanges: readonly Exchange[]
  /** The variables for the server. */
  readonly env: Readonly<Record<string, string>>
  readonly apiKey: string
}

/** Starts an external provider and API; `publicUrl` is the base of the redirect URI. */
export async function startOutside(
  publicUrl: string,
  options: Omit<RecordingOptions, 'nodes'>,
): Promise<OutsideProvider> {
  const ports: number[] = []
  const front = await startRecordingBalancer({ ...options, nodes: ports })
  onTestFinished(() => front.close())
  const demo = await startDemo({ origin: front.url, redirectUri: `${publicUrl}/callback` })
  ports.push(Number(new URL(demo.own).port))
  const apiKey = `key-${randomBytes(12).toString('hex')}`
  return {
    exchanges: front.exchanges,
    env: {
      UPSTREAM_ISSUER: demo.idp.issuer,
      UPSTREAM_CLIENT_ID: demo.idp.clientId,
      UPSTREAM_CLIENT_SECRET: demo.idp.clientSecret,
      UPSTREAM_SCOPES: 'openid profile email offline_access',
      UPSTREAM_API_URL: `${front.url}/demo/api`,
      UPSTREAM_API_KEY: apiKey,
    },
    apiKey,
  }
}
