/**
 * Profiles of well-known clients: their redirect URIs and metadata, from their documentation, their
 * sources and reports. The doctor simulates them; it does not run the clients.
 */

export interface ClientProfile {
  /** The name for the command line. */
  readonly name: string
  readonly title: string
  /** All redirect URIs that it registers (RFC 7591). */
  readonly redirectUris: readonly string[]
  /** The redirect URI that it then uses, if not the first: a different port (RFC 8252, 7.3). */
  readonly comesWith?: string
  /** Whether it calls from the internet rather than from the user's machine. */
  readonly isHosted: boolean
  /** Its client ID metadata document (CIMD), if it has one. */
  readonly document?: string
  /** Client authentication in observed documents, if it is not `none`. */
  readonly authForms?: readonly AuthForm[]
  /** The origin of its page, if it runs in a browser. */
  readonly origin?: string
}

export interface AuthForm {
  /** Completes the sentence: "whose metadata …". */
  readonly says: string
  readonly metadata: Readonly<Record<string, unknown>>
}

const SIGNED = {
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'RS256',
  jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
}

export const PROFILES: readonly ClientProfile[] = [
  {
    name: 'claude',
    title: 'Claude (web, desktop and mobile)',
    redirectUris: [
      'https://claude.ai/api/mcp/auth_callback',
      'https://claude.com/api/mcp/auth_callback',
    ],
    isHosted: true,
    document: 'https://claude.ai/oauth/mcp-oauth-client-metadata',
  },
  {
    name: 'chatgpt',
    title: 'ChatGPT',
    redirectUris: [
      'https://chatgpt.com/connector/oauth/AbC123dEf456',
      'https://chatgpt.com/connector_platform_oauth_redirect',
    ],
    isHosted: true,
    // https://github.com/cloudflare/workers-oauth-provider/issues/293, and
    // https://github.com/Altinity/altinity-mcp/issues/118 for the earlier one.
    authForms: [
      {
        says: 'prefers private_key_jwt and lists none',
        metadata: {
          ...SIGNED,
          token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
        },
      },
      { says: 'names private_key_jwt alone', metadata: SIGNED },
    ],
  },
  {
    name: 'claude-code',
    title: 'Claude Code',
    redirectUris: ['http://localhost:54545/callback'],
    comesWith: 'http://localhost:61234/callback',
    isHosted: false,
    document: 'https://claude.ai/oauth/claude-code-client-metadata',
  },
  {
    name: 'cursor',
    title: 'Cursor',
    redirectUris: [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'http://localhost:8787/callback',
    ],
    isHosted: false,
  },
  {
    name: 'vscode',
    title: 'VS Code',
    redirectUris: [
      'https://insiders.vscode.dev/redirect',
      'https://vscode.dev/redirect',
      'http://127.0.0.1/',
      'http://127.0.0.1:33418/',
    ],
    comesWith: 'http://127.0.0.1:40123/',
    isHosted: false,
    document: 'https://vscode.dev/oauth/client-metadata.json',
  },
  {
    name: 'inspector',
    title: 'MCP Inspector',
    redirectUris: [
      'http://localhost:6274/oauth/callback',
      'http://localhost:6274/oauth/callback/debug',
    ],
    isHosted: false,
    origin: 'http://localhost:6274',
  },
  {
    name: 'mcp-remote',
    title: 'mcp-remote',
    redirectUris: ['http://localhost:3334/oauth/callback'],
    comesWith: 'http://localhost:17890/oauth/callback',
    isHosted: false,
  },
]
