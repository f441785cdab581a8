/** Authorizes subscriptions: a caller may subscribe to the resources that it may read. */

import {
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import type { CompiledResource } from '../engine/compile-resource.ts'
import { createFindResource, type FindResource } from '../engine/find-resource.ts'
import { runRead } from '../engine/run-read.ts'
import { isVisible } from '../engine/visibility.ts'
import { checkUriLength } from './bounds.ts'
import type { CallToolDeps } from './call-tool.ts'
import { RequestedCall } from './call-tool.ts'
import type { RequestContext } from './request-context.ts'
import type { ToolRequest } from './tool-request.ts'

export interface Subscriber extends Pick<ToolRequest, 'meta' | 'signal'> {
  readonly requestContext: RequestContext
}

/**
 * Resolves if the caller may read the resource. A resource with requirements is read once, because
 * only a read checks them; `isPersonal` is true for such a resource.
 * @throws ResourceNotFoundError for an unknown URI, AppError `invalid_params` for one that is too
 * long, and all errors of the read
 */
export type MaySubscribe = (
  uri: string,
  subscriber: Subscriber,
) => Promise<{ readonly isPersonal: boolean }>

/** A client without capabilities: the check cannot ask for input or a sign-in. */
const CANNOT_BE_ASKED: ToolRequest['client'] = {
  era: '2026',
  facts: {},
  can: { fillForms: false, openUrls: false, sample: false, listRoots: false },
  log: async () => undefined,
  closeStream: () => undefined,
}

export function createMaySubscribe(deps: CallToolDeps): MaySubscribe {
  const { catalog, telemetry } = deps
  const settings = { ...deps.settings, hasLoginTool: catalog.tools.has('login') }
  const find = createFindResource(catalog.resources)
  return async (uri, { requestContext, meta, signal }) => {
    checkUriLength(uri)
    const { identity, log } = requestContext
    const found = findReadable(find, uri, ({ definition }) =>
      isVisible(settings.team, definition, identity, log),
    )
    if (found === undefined) throw new ResourceNotFoundError(uri)
    const { name, definition } = found.resource
    if (definition.requires === undefined) return { isPersonal: false }
    const request: ToolRequest = {
      ...{ kind: 'resource', name, arguments: { uri }, meta, signal },
      ...{ client: CANNOT_BE_ASKED, responses: {}, sealed: undefined },
      progress: async () => undefined,
    }
    const call = new RequestedCall(deps, request, requestContext, undefined)
    const result = await runRead(found, call, settings, telemetry)
    if (!isInputRequiredResult(result)) return { isPersonal: true }
    const text = 'Reading this resource requires user input, so it cannot be subscribed to.'
    throw new ProtocolError(ProtocolErrorCode.InternalError, text, { code: 'input_required' })
  }
}

/** Undefined for an unknown URI, an invalid URI and invalid template values alike. */
function findReadable(
  find: FindResource<CompiledResource>,
  uri: string,
  isThere: (resource: CompiledResource) => boolean,
) {
  try {
    return find(uri, isThere)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
