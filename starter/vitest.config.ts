/** Test configuration: runs the tests next to tools, resources and prompts. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['src/**/*.test.ts'], passWithNoTests: true },
})
