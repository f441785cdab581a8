/** What happens when something needs somebody to be signed in and nobody is. */

import { randomUUID } from 'node:crypto'
import type { InputRequest, InputRequiredResult } from '@modelcontextprotocol/server'
import { inputRequired, inputResponse } from '@modelcontextprotocol/server'
import type { CallKind, CallSession, ToolCall } from './call.ts'
import type { SignInLink } from './context.ts'
import { ToolError } from './tool-error.ts'

/** The name of our one request among a result's `inputRequests`. */
const SIGN_IN_REQUEST = 'sign_in'

/** One round waits this long; below the 30 s at which proxies and clients commonly give up. */
const ROUND_MILLISECONDS = 25_000

/** Both official clients stop after ten rounds, the 2025-era shim after eight. */
const MOST_ROUNDS = 7

const CALL_LOGIN = 'Sign-in required. Call the `login` tool, follow its link, then try again.'

/** Without the session tools, a client that supports URL elicitation is the only way to sign in. */
const CANNOT_OPEN_URLS =
  'Sign-in required, and this client cannot open the sign-in page. Ask the user to connect with a client that supports URL elicitation.'
const NOT_COMPLETED = 'Sign-in was not completed in time.'

const RETRY: Readonly<Record<CallKind, string>> = {
  tool: 'Call this tool again to retry.',
  resource: 'Read this resource again to retry.',
  prompt: 'Get this prompt again to retry.',
}

/**
 * Sees to it that somebody is signed in. A client that opens URLs is asked to, and the call goes on
 * after the callback: the result to return meanwhile is given back, or undefined when the call may
 * go on.
 * @throws ToolError `login_required` for clients that cannot open URLs, `login_declined`
 */
export async function climbSignInLadder(
  call: ToolCall,
  session: CallSession,
  { hasLoginTool = true }: { readonly hasLoginTool?: boolean } = {},
  kind: CallKind = 'tool',
): Promise<InputRequiredResult | undefined> {
  if (session.state === 'authenticated') return undefined
  if (!call.client.can.openUrls) {
    throw loginRequired(hasLoginTool ? CALL_LOGIN : CANNOT_OPEN_URLS)
  }
  const { signInRound } = call.carried ?? {}
  if (signInRound === undefined) return askToOpenUrl(call, session)
  const answer = inputResponse(call.responses, SIGN_IN_REQUEST)
  if (answer.kind === 'elicit' && answer.action !== 'accept') {
    const retry = hasLoginTool ? 'Call `login` to try again.' : RETRY[kind]
    throw new ToolError(`Signing in was declined. ${retry}`, { code: 'login_declined' })
  }
  if (await session.waitForSignIn(ROUND_MILLISECONDS, call.signal)) return undefined
  const round = signInRound + 1
  if (round > MOST_ROUNDS) {
    throw loginRequired(hasLoginTool ? CALL_LOGIN : `${NOT_COMPLETED} ${RETRY[kind]}`)
  }
  // Without input requests: the client comes back at once, and nobody is asked twice.
  return inputRequired({ requestState: call.carry({ ...call.carried, signInRound: round }) })
}

async function askToOpenUrl(call: ToolCall, session: CallSession): Promise<InputRequiredResult> {
  const link = await session.startSignIn()
  const message = `Sign in to continue. The page may ask for this code: ${link.code}`
  const request = inputRequired.elicitUrl({ message, url: link.url })
  return inputRequired({
    inputRequests: { [SIGN_IN_REQUEST]: withElicitationId(request, call, session, link) },
    requestState: call.carry({ ...call.carried, session: session.handle, signInRound: 1 }),
  })
}

/**
 * 2025-11-25 names a URL elicitation, and a client may hold its answer back until it hears that
 * the elicitation is complete (client/elicitation, "Completion Notifications"). 2026-07-28 dropped both.
 */
function withElicitationId(
  request: InputRequest,
  { client, signal, log }: ToolCall,
  session: CallSession,
  link: SignInLink,
): InputRequest {
  if (client.elicitationCompleted === undefined) return request
  const elicitationId = randomUUID()
  session
    .waitForSignIn(link.ttlSeconds * 1000, signal)
    .then((signedIn) => (signedIn ? client.elicitationCompleted?.(elicitationId) : undefined))
    .catch((error: unknown) =>
      log.debug({ err: error }, 'client not told that sign-in is complete'),
    )
  return { ...request, params: { ...request.params, elicitationId } } as InputRequest
}

function loginRequired(message: string): ToolError {
  return new ToolError(message, { code: 'login_required' })
}
