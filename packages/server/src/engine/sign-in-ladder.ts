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

interface LadderOptions {
  readonly hasLoginTool?: boolean
  /** Where somebody has to be signed in; the first upstream if left out. */
  readonly upstream?: string | undefined
  /** What needs the sign-in; a tool if left out. */
  readonly kind?: CallKind
}

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
  { hasLoginTool = true, upstream, kind = 'tool' }: LadderOptions = {},
): Promise<InputRequiredResult | undefined> {
  if (isSignedIn(session, upstream)) return undefined
  if (!call.client.can.openUrls) {
    throw loginRequired(hasLoginTool ? callLogin(upstream) : cannotOpenUrls(upstream))
  }
  const { signInRound, signInAt } = call.carried ?? {}
  // Of a tool that needs several, each is asked for by itself.
  if (signInRound === undefined || signInAt !== upstream) {
    return askToOpenUrl(call, session, upstream)
  }
  const answer = inputResponse(call.responses, SIGN_IN_REQUEST)
  if (answer.kind === 'elicit' && answer.action !== 'accept') {
    const retry = hasLoginTool ? `${loginCall(upstream)} to try again.` : RETRY[kind]
    throw new ToolError(`Signing in${at(upstream)} was declined. ${retry}`, {
      code: 'login_declined',
    })
  }
  const where = upstream === undefined ? [] : ([upstream] as const)
  if (await session.waitForSignIn(ROUND_MILLISECONDS, call.signal, ...where)) return undefined
  const round = signInRound + 1
  if (round > MOST_ROUNDS) {
    throw loginRequired(hasLoginTool ? callLogin(upstream) : `${NOT_COMPLETED} ${RETRY[kind]}`)
  }
  // Without input requests: the client comes back at once, and nobody is asked twice.
  return inputRequired({ requestState: call.carry({ ...call.carried, signInRound: round }) })
}

export function isSignedIn(session: CallSession, upstream: string | undefined): boolean {
  return upstream === undefined ? session.state === 'authenticated' : session.isSignedIn(upstream)
}

const NOT_COMPLETED = 'Sign-in was not completed in time.'

function at(upstream: string | undefined): string {
  return upstream === undefined ? '' : ` at ${upstream}`
}

function loginCall(upstream: string | undefined): string {
  return upstream === undefined ? 'Call `login`' : `Call \`login\` with \`upstream\` "${upstream}"`
}

/** What a call is answered that the client cannot go on with by itself. */
export function callLogin(upstream: string | undefined): string {
  const how =
    upstream === undefined
      ? 'Call the `login` tool'
      : `Call the \`login\` tool with \`upstream\` "${upstream}"`
  return `Sign-in${at(upstream)} required. ${how}, follow its link, then try again.`
}

/** Without the session tools, a client that supports URL elicitation is the only way to sign in. */
function cannotOpenUrls(upstream: string | undefined): string {
  return `Sign-in${at(upstream)} required, and this client cannot open the sign-in page. Ask the user to connect with a client that supports URL elicitation.`
}

async function askToOpenUrl(
  call: ToolCall,
  session: CallSession,
  upstream: string | undefined,
): Promise<InputRequiredResult> {
  const link = await session.startSignIn(upstream)
  const message = `Sign in${at(upstream)} to continue. The page may ask for this code: ${link.code}`
  const request = inputRequired.elicitUrl({ message, url: link.url })
  const named = withElicitationId(request, { call, session, link, upstream })
  return inputRequired({
    inputRequests: { [SIGN_IN_REQUEST]: named },
    requestState: call.carry({
      ...call.carried,
      session: session.handle,
      signInRound: 1,
      ...(upstream !== undefined && { signInAt: upstream }),
    }),
  })
}

interface Asked {
  readonly call: ToolCall
  readonly session: CallSession
  readonly link: SignInLink
  readonly upstream: string | undefined
}

/**
 * 2025-11-25 names a URL elicitation, and a client may hold its answer back until it hears that
 * the elicitation is complete (client/elicitation, "Completion Notifications"). 2026-07-28 dropped both.
 */
function withElicitationId(
  request: InputRequest,
  { call, session, link, upstream }: Asked,
): InputRequest {
  const { client, signal, log } = call
  if (client.elicitationCompleted === undefined) return request
  const elicitationId = randomUUID()
  session
    .waitForSignIn(link.ttlSeconds * 1000, signal, upstream)
    .then((signedIn) => (signedIn ? client.elicitationCompleted?.(elicitationId) : undefined))
    .catch((error: unknown) =>
      log.debug({ err: error }, 'client not told that sign-in is complete'),
    )
  return { ...request, params: { ...request.params, elicitationId } } as InputRequest
}

function loginRequired(message: string): ToolError {
  return new ToolError(message, { code: 'login_required' })
}
