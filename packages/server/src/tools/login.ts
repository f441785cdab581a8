/** `login`: returns a one-time link; the user signs in in a browser. */

import { z } from 'zod'
import { defineTool, type ToolSession } from '../engine/index.ts'

const common = {
  name: 'login',
  title: 'Sign in',
  description:
    'Returns a link where the user signs in, and a code the page may ask for. Show both to the user, and continue once they say that they have signed in.',
  output: z.object({
    url: z.url().describe('Show this to the user; it works once.'),
    code: z.string().describe('The page may ask for it: show it to the user with the link.'),
    expiresAt: z.iso.datetime(),
    session: z.string().optional().describe('Pass this as `session` in all later calls.'),
  }),
  requires: { session: true },
  annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
} as const

export default defineTool({
  ...common,
  input: z.object({}),
  run: ({ session }) => startSignIn(session),
})

/** The variant for several upstreams; the first one is the default. */
export function loginTool(upstreams: readonly string[]) {
  const upstream = z.enum(upstreams).optional()
  return defineTool({
    ...common,
    input: z.object({
      upstream: upstream.describe(`Where to sign in; ${upstreams[0]} if left out.`),
    }),
    run: ({ session, input }) => startSignIn(session, input.upstream),
  })
}

async function startSignIn(session: ToolSession, upstream?: string) {
  const { url, code, expiresAt } = await session.startSignIn(upstream)
  const { handle } = session
  return {
    url,
    code,
    expiresAt: expiresAt.toISOString(),
    ...(handle !== undefined && { session: handle }),
  }
}
