/** Metrics of an identity provider, whichever it is. */

import { expect, test } from 'vitest'
import {
  type Credentials,
  type IdentityProvider,
  ProviderError,
} from '../../src/upstream/identity-provider.ts'
import { observeProvider } from '../../src/upstream/observed-provider.ts'
import { parseScrape } from '../support/scrape.ts'
import { telemetry } from '../support/telemetry.ts'

const FRESH: Credentials = { accessToken: 'fresh', expiresAt: 0 }

test('refreshes are counted by outcome, and return their result', async () => {
  const outcomes: (Credentials | Error)[] = [
    FRESH,
    new ProviderError('invalid_grant', 'The sign-in has ended.'),
    new TypeError('a fault of ours'),
  ]
  const provider = {
    async refresh() {
      const outcome = outcomes.shift()
      if (outcome instanceof Error) throw outcome
      return outcome
    },
  } as unknown as IdentityProvider
  const observed = observeProvider(provider, telemetry)
  expect(await observed.refresh(FRESH)).toBe(FRESH)
  await expect(observed.refresh(FRESH)).rejects.toThrow('The sign-in has ended.')
  await expect(observed.refresh(FRESH)).rejects.toThrow('a fault of ours')
  const { sum } = parseScrape((await telemetry.metrics.scrape()).text)
  for (const outcome of ['ok', 'invalid_grant', 'internal_error']) {
    expect(sum('mcp_upstream_refreshes_total', { outcome })).toBe(1)
  }
})
