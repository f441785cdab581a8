/** Settings and services of the server, and the typed functions that declare tools and so on. */

import { createMcp } from '@mcp-template/server'
import { z } from 'zod'

export const {
  defineServer,
  defineTool,
  defineContentTool,
  defineResource,
  definePrompt,
  defineHook,
  defineRoute,
} = createMcp({
  // Variables of your own; secrets have `.meta({ secret: true })`.
  settings: z.object({}),
  // Opened before the server is ready, such as a database:
  // const database = await open('database', () => connect(settings.DATABASE_URL), (pool) => pool.end())
  services: async () => ({}),
})
