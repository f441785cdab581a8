/**
 * Remembers what tokens say whose signature has been checked: 20 µs for HS256, and 0.2 ms for the
 * others. Only that: whether a token is revoked and its session alive is asked of the store each time.
 */

import { createRecent } from '../../store/recent.ts'
import type { TokenFacts, TokenReader } from './issued-tokens.ts'

/** About 1 kB each. */
const MOST_TOKENS = 20_000

/** @param now Unix time in milliseconds */
export function rememberTokens(reader: TokenReader, now: () => number): TokenReader {
  // By the whole token: the same signature under another payload is another token.
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
