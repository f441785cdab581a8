/** What this server's tools, resources, prompts, hooks and routes are declared with, and share. */

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
  // What is opened before the server is ready, such as a database:
  // const database = await open('database', () => connect(settings.DATABASE_URL), (pool) => pool.end())
  services: async () => ({}),
})
