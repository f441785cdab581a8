/** Listens in on all that is fetched in this process, and finds the secrets in it. */

export interface Traffic {
  /** Everything secret that went over the wire so far, by what it is. */
  secrets(): ReadonlyMap<string, string>
  stop(): void
}

/** What is secret by its form, wherever it stands. */
const FORMS: readonly (readonly [what: string, form: RegExp])[] = [
  ['connection id', /\bcon_[\w-]{43}/g],
  ['session handle', /\bses_[\w-]{43}/g],
  ['link handle', /\blnk_[\w-]{43}/g],
  ['code from the chat', /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/g],
  ['account number', /\b(?:55555555|1245126199)\b/g],
  ['IBAN', /\b(?:GB33BUKB20201555555555|DE75512108001245126199)\b/g],
  ['request state', /(?<="requestState":")[^"]+/g],
]

/** What is secret by its name in queries and forms. */
const PARAMETERS = ['code', 'state', 'nonce', 'code_verifier', 'token', 'client_secret']

/** What is secret by its name in JSON. */
const FIELDS = ['access_token', 'refresh_token', 'id_token']

/** Starts listening; `fetch` is replaced until it is stopped. */
export function listenIn(): Traffic {
  const heard: string[] = []
  const original = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const sent = init?.body
    const body = sent instanceof Uint8Array ? Buffer.from(sent).toString() : String(sent ?? '')
    const fields = new Headers(init?.headers)
    heard.push(String(input), body, fields.get('cookie') ?? '')
    heard.push(...basicCredentials(fields.get('authorization')))
    const response = await original(input, init)
    heard.push(...response.headers.getSetCookie(), response.headers.get('location') ?? '')
    heard.push(response.headers.get('mcp-session-id') ?? '')
    // Read on the side; a stream that is cut off has said what it said.
    const { body: stream } = response.clone()
    void keep(stream, heard)
    return response
  }
  return {
    secrets: () => findSecrets(heard.join('\n')),
    stop() {
      globalThis.fetch = original
    },
  }
}

async function keep(stream: ReadableStream<Uint8Array> | null, heard: string[]): Promise<void> {
  let text = ''
  try {
    for await (const chunk of stream ?? []) text += Buffer.from(chunk).toString()
  } catch {
    text += '\n'
  }
  heard.push(text)
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
