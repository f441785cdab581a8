/** All that tools, resources and prompts may import. */

export { completable, ResourceNotFoundError } from '@modelcontextprotocol/server'
export { type MaskRule, masked } from '../output/mask.ts'
export { UpstreamError } from '../upstream/upstream-error.ts'
export type { Account, SignInLink, ToolContext, ToolLog, ToolSession } from './context.ts'
export { definePrompt } from './define-prompt.ts'
export { defineResource } from './define-resource.ts'
export { defineTool } from './define-tool.ts'
export { ToolError } from './tool-error.ts'
