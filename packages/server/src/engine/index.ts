/** Public API for tools, resources and prompts. */

export { completable, ResourceNotFoundError } from '@modelcontextprotocol/server'
export { type MaskRule, masked } from '../output/mask.ts'
export { problemText } from '../upstream/problem-text.ts'
export type { Param, Params } from '../upstream/route.ts'
export type {
  Explain,
  ItemOptions,
  PageOptions,
  Paging,
  ReadOptions,
  Upstream,
  UpstreamResponse,
  Upstreams,
  WriteOptions,
} from '../upstream/upstream.ts'
export { UpstreamError } from '../upstream/upstream-error.ts'
export { AnswersNeeded } from './ask.ts'
export { choice, choices } from './choice.ts'
export type { Complete, CompleteContext } from './complete.ts'
export { defineHook, type HookCall, type HookDefinition, type HookOutcome } from './define-hook.ts'
export { definePrompt } from './define-prompt.ts'
export { defineResource } from './define-resource.ts'
export { defineRoute, html, type RouteContext, type RouteDefinition } from './define-route.ts'
export { defineContentTool, defineTool } from './define-tool.ts'
export type { Env } from './env.ts'
export type { ServerExtension } from './extensions.ts'
export type { Caller } from './identity.ts'
export { jsonSchema } from './json-schema.ts'
export type { Meta } from './meta.ts'
export { form, openUrl, roots, sample } from './questions.ts'
export type {
  Account,
  Announce,
  SignInLink,
  ToolClient,
  ToolContext,
  ToolLog,
  ToolSession,
} from './tool-context.ts'
export { ToolError } from './tool-error.ts'
export { type Answer, answer } from './tool-result.ts'
