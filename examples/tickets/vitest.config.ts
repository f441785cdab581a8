/** Test configuration: unit tests next to the code, and tests of the whole server. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['{src,test}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
