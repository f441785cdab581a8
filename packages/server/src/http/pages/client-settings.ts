/**
 * Setup instructions for each client, in the format of the client's own documentation. The landing
 * page shows them; tests compare the documents with them.
 */

import { isLoopbackHost } from '../../config/loopback.ts'

/** Facts about the server that the settings contain. */
export interface ServerFacts {
  /** Display name. */
  readonly name: string
  /** Endpoint for clients, such as `https://mcp.example.com/mcp`. */
  readonly url: string
  /** Whether callers without an access token are refused. */
  readonly tokenRequired: boolean
  /** Whether revisions up to 2025-11-25 are served; defaults to true. */
  readonly era2025?: boolean
}

export interface Snippet {
  readonly language: 'sh' | 'json' | 'text'
  readonly code: string
}

export interface ClientSettings {
  readonly client: string
  /** Short summary. */
  readonly how: string
  /** Deep link that opens the client with prefilled settings. */
  readonly link?: { readonly text: string; readonly href: string }
  /** Steps in order: sentences, with `code` in backticks, and snippets to copy. */
  readonly steps: readonly (string | Snippet)[]
}

export function clientSettings(server: ServerFacts): readonly ClientSettings[] {
  return [
    claudeCode(server),
    claude(server),
    cursor(server),
    vsCode(server),
    chatGpt(server),
    inspector(server),
    curl(server),
  ]
}

/** Slug of the server's name for settings: `Example Bank` becomes `example-bank`. */
export function settingsName(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const slug = plain
    .replace(/[^a-z\d]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 48)
  return slug.replace(/-$/, '') || 'mcp-server'
}

/** https://code.claude.com/docs/en/mcp */
function claudeCode({ name, url, tokenRequired }: ServerFacts): ClientSettings {
  const key = settingsName(name)
  return {
    client: 'Claude Code',
    how: 'one command',
    steps: [
      sh(`claude mcp add --transport http ${key} ${quoted(url)}`),
      ...(tokenRequired ? ['Then authorize it:', sh(`claude mcp login ${key}`)] : []),
      'To share it with everybody who works on a project, put this into `.mcp.json` there:',
      json({ mcpServers: { [key]: { type: 'http', url } } }),
    ],
  }
}

/** https://claude.com/docs/connectors/building/directory-vs-custom, for the link. */
function claude({ name, url, era2025 = true }: ServerFacts): ClientSettings {
  const key = settingsName(name)
  const query = new URLSearchParams({ modal: 'add-custom-connector' })
  query.set('connectorName', name)
  query.set('connectorUrl', url)
  const link = {
    text: 'Add to Claude',
    href: `https://claude.ai/customize/connectors?${query}`,
  }
  const { protocol, hostname } = new URL(url)
  const isHere = isLoopbackHost(hostname)
  const insecure = protocol === 'http:' && !isHere ? ['--allow-http'] : []
  const remote = { command: 'npx', args: ['-y', 'mcp-remote', url, ...insecure] }
  const project = `/absolute/path/to/${key}`
  const command = `${project}/node_modules/@mcp-template/server/bin/mcp-template.js`
  const started = { command: 'node', args: [command, 'start', 'stdio', '--project', project] }
  return {
    client: 'Claude Desktop',
    how: 'and Claude on the web and the phone',
    ...(isPublic(url) && { link }),
    steps: [
      ...(isPublic(url)
        ? ['Or choose **Add custom connector** among the connectors in the settings:', text(url)]
        : [unreachable('A connector of Claude')]),
      // mcp-remote supports only these revisions.
      ...(era2025
        ? [
            'Claude Desktop can also connect through a program on your computer, if Node is installed. Put this into `claude_desktop_config.json`:',
            json({ mcpServers: { [key]: remote } }),
          ]
        : []),
      ...(isHere ? [STARTED_BY_CLIENT, json({ mcpServers: { [key]: started } })] : []),
    ],
  }
}

/** https://cursor.com/docs/context/mcp/install-links */
function cursor({ name, url }: ServerFacts): ClientSettings {
  const config = Buffer.from(JSON.stringify({ url })).toString('base64')
  const query = `name=${settingsName(name)}&config=${encodeURIComponent(config)}`
  return {
    client: 'Cursor',
    how: 'one click',
    link: {
      text: 'Add to Cursor',
      href: `cursor://anysphere.cursor-deeplink/mcp/install?${query}`,
    },
    steps: [
      'Or put this into `.cursor/mcp.json`:',
      json({ mcpServers: { [settingsName(name)]: { url } } }),
    ],
  }
}

/** https://code.visualstudio.com/api/extension-guides/ai/mcp, "MCP URL handler" */
function vsCode({ name, url }: ServerFacts): ClientSettings {
  const server = { type: 'http', url }
  const install = JSON.stringify({ name: settingsName(name), ...server })
  return {
    client: 'VS Code',
    how: 'one click',
    link: {
      text: 'Add to VS Code',
      href: `vscode:mcp/install?${encodeURIComponent(install)}`,
    },
    steps: [
      'Or put this into `.vscode/mcp.json`:',
      json({ servers: { [settingsName(name)]: server } }),
    ],
  }
}

/** https://developers.openai.com/apps-sdk/deploy/connect-chatgpt */
function chatGpt({ url, tokenRequired }: ServerFacts): ClientSettings {
  const authentication = tokenRequired ? 'OAuth' : 'OAuth, or none'
  return {
    client: 'ChatGPT',
    how: 'in developer mode',
    steps: isPublic(url)
      ? [
          'In the settings, under **Apps** (or **Connectors**), turn developer mode on among the advanced settings. Then create one with this address:',
          text(url),
          `For authentication choose ${authentication}.`,
        ]
      : [unreachable('ChatGPT')],
  }
}

/** Uses the options of version 2. */
function inspector({ url }: ServerFacts): ClientSettings {
  const program = 'npx -y @modelcontextprotocol/inspector@2'
  const target = quoted(url)
  return {
    client: 'MCP Inspector',
    how: 'for trying out, in a browser or a terminal',
    steps: [
      sh(`${program} --transport http --server-url ${target}`),
      'Or without the browser:',
      sh(`${program} --cli ${target} --transport http --method tools/list`),
    ],
  }
}

/** 2026-07-28, basic/transports: requests are stateless, so one suffices. */
function curl({ url, tokenRequired }: ServerFacts): ClientSettings {
  const token = `-H "Authorization: Bearer $TOKEN" `
  const command = `curl -fsS ${quoted(url)} ${tokenRequired ? token : ''}\\
  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
  -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/list' \\
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{
    "io.modelcontextprotocol/protocolVersion":"2026-07-28",
    "io.modelcontextprotocol/clientInfo":{"name":"curl","version":"1"},
    "io.modelcontextprotocol/clientCapabilities":{}}}}'`
  return {
    client: 'curl',
    how: 'the list of tools, in one request',
    steps: [...(tokenRequired ? ['With an access token in `TOKEN`:'] : []), sh(command)],
  }
}

const STARTED_BY_CLIENT = 'Or have it start the server itself, from the folder of its project:'

/** Whether a URL looks public: https, and not a loopback host. */
function isPublic(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' && !isLoopbackHost(hostname)
}

function unreachable(client: string): string {
  return `${client} connects from the internet over https, where this server is not reached yet.`
}

/** Quotes a word for the shell, if it needs quotes. */
function quoted(word: string): string {
  return /^[\w:/.-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

const sh = (code: string): Snippet => ({ language: 'sh', code })
const text = (code: string): Snippet => ({ language: 'text', code })

/** Joins a pretty-printed JSON array into one line. */
function inOneLine(list: string): string {
  return `[${list.slice(1, -1).trim().replace(/\n */g, ' ')}]`
}

/** Pretty-prints JSON, with flat arrays in one line. */
function json(value: unknown): Snippet {
  const code = JSON.stringify(value, undefined, 2)
  return {
    language: 'json',
    code: code.replace(/\[\n[^[\]{}]*\n *\]/g, inOneLine),
  }
}
