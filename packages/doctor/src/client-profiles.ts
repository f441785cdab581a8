/**
 * What is known of well-known clients: where they are sent back to and what they say of themselves,
 * by their documentation, their sources and reports of the field. The doctor plays that; it does not
 * run the clients.
 */

export interface ClientProfile {
  /** As it is named on the command line. */
  readonly name: string
  readonly title: string
  /** All that it registers at once (RFC 7591). */
  readonly redirectUris: readonly string[]
  /** One it comes with afterwards, if not the first of those: another port (RFC 8252, 7.3). */
  readonly comesWith?: string
  /** It calls from the internet, not from the person's machine. */
  readonly isHosted: boolean
  /** Its metadata document (CIMD), if it has one. */
  readonly document?: string
  /** What such documents were seen to say of how the client authenticates, where it is not `none`. */
  readonly authForms?: readonly AuthForm[]
  /** The page that calls, where it runs in a browser. */
  readonly origin?: string
}

export interface AuthForm {
  /** As a sentence goes on: "whose metadata …". */
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
