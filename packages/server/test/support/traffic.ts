/** Records all `fetch` traffic of this process, and finds the secrets in it. */

export interface Traffic {
  /** All secrets seen so far, by kind. */
  secrets(): ReadonlyMap<string, string>
  stop(): void
}

/** Secrets by their format, anywhere. */
const FORMS: readonly (readonly [what: string, form: RegExp])[] = [
  ['connection id', /\bcon_[\w-]{43}/g],
  ['session handle', /\bses_[\w-]{43}/g],
  ['link handle', /\blnk_[\w-]{43}/g],
  ['code from the chat', /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/g],
  ['account number', /\b(?:55555555|1245126199)\b/g],
  ['IBAN', /\b(?:GB33BUKB20201555555555|DE75512108001245126199)\b/g],
  ['request state', /(?<="requestState":")[^"]+/g],
]

/** Secrets by name in queries and forms. */
const PARAMETERS = ['code', 'state', 'nonce', 'code_verifier', 'token', 'client_secret']

/** Secrets by name in JSON. */
const FIELDS = ['access_token', 'refresh_token', 'id_token']

/** Starts recording; replaces `fetch` until stopped. */
export function recordTraffic(): Traffic {
  const recorded: string[] = []
  const original = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const sent = init?.body
    const body = sent instanceof Uint8Array ? Buffer.from(sent).toString() : String(sent ?? '')
    const fields = new Headers(init?.headers)
    recorded.push(String(input), body, fields.get('cookie') ?? '')
    recorded.push(...basicCredentials(fields.get('authorization')))
    const response = await original(input, init)
    recorded.push(...response.headers.getSetCookie(), response.headers.get('location') ?? '')
    recorded.push(response.headers.get('mcp-session-id') ?? '')
    // Read in parallel; an interrupted stream keeps what was read.
    const { body: stream } = response.clone()
    void recordBody(stream, recorded)
    return response
  }
  return {
    secrets: () => findSecrets(recorded.join('\n')),
    stop() {
      globalThis.fetch = original
    },
  }
}

async function recordBody(
  stream: ReadableStream<Uint8Array> | null,
  recorded: string[],
): Promise<void> {
  let text = ''
  try {
    for await (const chunk of stream ?? []) text += Buffer.from(chunk).toString()
  } catch {
    text += '\n'
  }
  recorded.push(text)
}

function basicCredentials(authorization: string | null): string[] {
  const [, encoded] = /^Basic (.+)$/.exec(authorization ?? '') ?? []
  if (encoded === undefined) return []
  const [, secret = ''] = Buffer.from(encoded, 'base64').toString().split(':')
  return [`client_secret=${secret}`]
}

function findSecrets(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const named = [
    ...PARAMETERS.map((name) => [name, `(?:^|[?&])${name}=([\\w.~%-]{8,})`] as const),
    ...FIELDS.map((name) => [name, `"${name}":"([^"]{8,})"`] as const),
  ]
  for (const [name, form] of named) {
    const matches = text.matchAll(new RegExp(form, 'gm'))
    for (const [, secret = ''] of matches) found.set(decodeURIComponent(secret), name)
  }
  for (const [what, form] of FORMS) {
    for (const [secret] of text.matchAll(form)) found.set(secret, what)
  }
  for (const [, secret = ''] of text.matchAll(/mcp-sign-in-[\w-]+=([\w-]{8,})/g)) {
    found.set(secret, 'cookie')
  }
  return found
}
