/** Requires an upstream sign-in: step-up by URL elicitation, or an error that points to `login`. */

import { randomUUID } from 'node:crypto'
import type { InputRequest, InputRequiredResult } from '@modelcontextprotocol/server'
import { inputRequired, inputResponse } from '@modelcontextprotocol/server'
import type { CallKind, CallSession, ToolCall } from './call.ts'
import { loginsOf, type ToolRequirements } from './define-tool.ts'
import type { SignInLink } from './tool-context.ts'
import { ToolError } from './tool-error.ts'

/** Name of the sign-in request among a result's `inputRequests`. */
const SIGN_IN_REQUEST = 'sign_in'

/** Wait per round; below the usual 30 s timeout of proxies and clients. */
const ROUND_MILLISECONDS = 25_000

/** Below the limits of both official clients (ten rounds) and of the 2025-era shim (eight). */
const MOST_ROUNDS = 7

interface LadderOptions {
  readonly hasLoginTool?: boolean
  /** The upstream that requires a sign-in; the first if left out. */
  readonly upstream?: string | undefined
  /** The kind of declaration that requires the sign-in; a tool if left out. */
  readonly kind?: CallKind
}

const RETRY: Readonly<Record<CallKind, string>> = {
  tool: 'Call this tool again to retry.',
  resource: 'Read this resource again to retry.',
  prompt: 'Get this prompt again to retry.',
}

/**
 * Ensures each upstream sign-in that a declaration requires. A client with URL elicitation is asked
 * to open the sign-in page, and the call resumes after the callback: returns the `input_required`
 * result until then, undefined when the call may proceed.
 * @throws ToolError `login_required` for clients without a person, and for those that cannot open
 * URLs; `login_declined`
 */
export async function requireSignIns(
  call: ToolCall,
  session: CallSession,
  requires: ToolRequirements,
  options: LadderOptions,
): Promise<InputRequiredResult | undefined> {
  for (const upstream of loginsOf(requires)) {
    const waiting = await requireUpstreamSignIn(call, session, { ...options, upstream })
    if (waiting !== undefined) return waiting
  }
  return undefined
}

/** The same, for one upstream. */
export async function requireUpstreamSignIn(
  call: ToolCall,
  session: CallSession,
  { hasLoginTool = true, upstream, kind = 'tool' }: LadderOptions = {},
): Promise<InputRequiredResult | undefined> {
  if (isSignedIn(session, upstream)) return undefined
  if (call.caller.kind === 'personal_token') throw tokenSignInEnded(upstream)
  if (call.caller.kind === 'client') throw noPerson(upstream)
  if (await session.signInOnBehalf(upstream)) return undefined
  if (!call.client.can.openUrls) {
    throw loginRequired(hasLoginTool ? callLogin(upstream) : cannotOpenUrls(upstream))
  }
  const { signInRound, signInAt } = call.requestState ?? {}
  // If a tool requires several upstreams, asks for one at a time.
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
  // No input requests: the client retries at once, without asking the user again.
  return inputRequired({
    requestState: call.sealRequestState({ ...call.requestState, signInRound: round }),
  })
}

/** Whether the session has credentials for the upstream: of a person, or of a service account. */
export function isSignedIn(session: CallSession, upstream: string | undefined): boolean {
  if (session.hasServiceAccount?.(upstream) === true) return true
  return upstream === undefined ? session.state === 'authenticated' : session.isSignedIn(upstream)
}

/** A job gets no link: it could not open it, and nobody else may sign in for the token's owner. */
export function tokenSignInEnded(upstream?: string): ToolError {
  return loginRequired(
    `This personal access token has no valid sign-in${at(upstream)}. Its owner can make a new one on the account page of this server.`,
  )
}

/** A client that acts for itself gets no link: there is nobody to open it. */
export function noPerson(upstream?: string): ToolError {
  const name = upstream?.toUpperCase().replaceAll('-', '_')
  const variable = name === undefined ? 'UPSTREAM_SERVICE' : `UPSTREAM_${name}_SERVICE`
  return loginRequired(
    `This needs a sign-in${at(upstream)}, and this client acts without a person. The operator of this server can give such clients a service account (${variable}).`,
  )
}

/** The error for an upstream that is not configured, or has no sign-in. */
export function unknownUpstream(upstream?: string): ToolError {
  const where = upstream === undefined ? 'this server' : `"${upstream}"`
  return new ToolError(`Nobody signs in at ${where}.`, { code: 'unknown_upstream' })
}

const NOT_COMPLETED = 'Sign-in was not completed in time.'

function at(upstream: string | undefined): string {
  return upstream === undefined ? '' : ` at ${upstream}`
}

function loginCall(upstream: string | undefined): string {
  return upstream === undefined ? 'Call `login`' : `Call \`login\` with \`upstream\` "${upstream}"`
}

/** The error message that points the model to the `login` tool. */
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
    requestState: call.sealRequestState({
      ...call.requestState,
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
 * 2025-11-25 gives a URL elicitation an id, and a client may delay its response until it is
 * notified of completion (client/elicitation, "Completion Notifications"). 2026-07-28 dropped both.
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
      log.debug({ err: error }, 'completion of the sign-in not sent to the client'),
    )
  return { ...request, params: { ...request.params, elicitationId } } as InputRequest
}

function loginRequired(message: string): ToolError {
  return new ToolError(message, { code: 'login_required' })
}
