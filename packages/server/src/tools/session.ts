/** `session`: who is signed in, and until when. */

import { z } from 'zod'
import { defineTool, masked } from '../engine/index.ts'

export default defineTool({
  name: 'session',
  title: 'Session',
  description: 'Tells whether the user is signed in, as whom, and when the session ends.',
  input: z.object({}),
  output: z.object({
    state: z.enum(['anonymous', 'authenticated']),
    name: z.string().optional(),
    email: masked(z.string(), { left: 2, right: 4 }).optional(),
    connectedAt: z.iso.datetime().optional(),
    expiresAt: z.iso.datetime().optional(),
  }),
  requires: { session: true },
  annotations: { readOnlyHint: true, idempotentHint: true },
  async run({ session }) {
    const account = await session.account()
    return {
      state: session.state,
      name: account?.name,
      email: account?.email,
      connectedAt: session.connectedAt?.toISOString(),
      expiresAt: session.expiresAt?.toISOString(),
    }
  },
})
