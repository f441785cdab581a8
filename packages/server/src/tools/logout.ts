/** `logout`: ends the session and revokes its upstream tokens. */

import { z } from 'zod'
import { defineTool } from '../engine/index.ts'

export default defineTool({
  name: 'logout',
  title: 'Sign out',
  description: 'Signs the user out: ends the session and forgets all credentials.',
  input: z.object({}),
  output: z.object({ ended: z.boolean().describe('False when there was no session to end.') }),
  requires: { session: true },
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  run: async ({ session }) => ({ ended: await session.end() }),
})
