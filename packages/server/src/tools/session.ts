/** `session`: the signed-in account and its expiry. */

import { z } from 'zod'
import { defineTool, masked, type ToolSession } from '../engine/index.ts'

const person = {
  name: z.string().optional(),
  email: masked(z.string(), { left: 2, right: 4 }).optional(),
}

const output = z.object({
  state: z.enum(['anonymous', 'authenticated']),
  ...person,
  connectedAt: z.iso.datetime().optional(),
  expiresAt: z.iso.datetime().optional(),
})

const common = {
  name: 'session',
  title: 'Session',
  description: 'Reports whether the user is signed in, as whom, and when the session ends.',
  input: z.object({}),
  requires: { session: true },
  annotations: { readOnlyHint: true, idempotentHint: true },
} as const

export default defineTool({ ...common, output, run: ({ session }) => describe(session) })

/** The variant for several upstreams. */
export function sessionTool(upstreams: readonly string[]) {
  const signIn = z.object({ upstream: z.string(), signedIn: z.boolean(), ...person })
  return defineTool({
    ...common,
    output: output.extend({ upstreams: z.array(signIn) }),
    async run({ session }) {
      const each = upstreams.map(async (upstream) => {
        const { name, email } = (await session.account(upstream)) ?? {}
        return { upstream, signedIn: session.isSignedIn(upstream), name, email }
      })
      return { ...(await describe(session)), upstreams: await Promise.all(each) }
    },
  })
}

async function describe(session: ToolSession) {
  const account = await session.account()
  return {
    state: session.state,
    name: account?.name,
    email: account?.email,
    connectedAt: session.connectedAt?.toISOString(),
    expiresAt: session.expiresAt?.toISOString(),
  }
}
