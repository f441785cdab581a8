/** Public API: the entry point of `@mcp-template/server`. */

export { createMcp, type Mcp } from './create-mcp.ts'
export {
  type Branding,
  defineServer,
  type Protocol,
  type ServerDefinition,
  ServerDefinitionError,
  type ServerIcon,
  type ServerIntroduction,
  type ServerOptions,
} from './define-server.ts'
export * from './engine/index.ts'
