/** What a project imports as `@mcp-template/server`. */

export {
  type Branding,
  defineServer,
  type Protocol,
  type ServerDefinition,
  ServerDefinitionError,
  type ServerOptions,
} from './define-server.ts'
export * from './engine/index.ts'
