/** `login`: gives out a one-time link; signing in happens in the person's browser. */

import { z } from 'zod'
import { defineTool } from '../engine/index.ts'

export default defineTool({
  name: 'login',
  title: 'Sign in',
  description:
    'Returns a link where the user signs in, and a code the page may ask for. Show both to the user, and go on once they say that they have signed in.',
  input: z.object({}),
  output: z.object({
    url: z.url().describe('Show this to the user; it works once.'),
    code: z.string().describe('The page may ask for it: show it to the user with the link.'),
    expiresAt: z.iso.datetime(),
    session: z.string().optional().describe('Pass this as `session` in all later calls.'),
  }),
  requires: { session: true },
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
  async run({ session }) {
    const { url, code, expiresAt } = await session.startSignIn()
    const { handle } = session
    return {
      url,
      code,
      expiresAt: expiresAt.toISOString(),
      ...(handle !== undefined && { session: handle }),
    }
  },
})
