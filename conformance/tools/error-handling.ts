/** `test_error_handling`: always fails, and says so. */

import { z } from 'zod'
import { defineContentTool, ToolError } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_error_handling',
  description: 'Always fails, and says so.',
  input: z.object({}),
  async run() {
    throw new ToolError('This tool intentionally returns an error for testing')
  },
})
