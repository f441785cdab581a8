/**
 * LRU cache of tokens with verified signatures, to save repeated verification. Revocation and the
 * session are still checked in the store on each request.
 */

import { createRecent } from '../../store/recent.ts'
import type { TokenFacts, TokenReader } from './issued-tokens.ts'

/** About 1 kB each. */
const MOST_TOKENS = 20_000

/** @param now Unix time in milliseconds */
export function rememberTokens(reader: TokenReader, now: () => number): TokenReader {
  // The key is the whole token, since a signature could be copied onto another payload.
  const known = createRecent<TokenFacts>(MOST_TOKENS)
  return {
    async read(token) {
      const before = known.get(token)
      if (before !== undefined && before.expiresAt > now()) return before
      const facts = await reader.read(token)
      if (facts !== undefined) known.set(token, facts)
      return facts
    },
  }
}
