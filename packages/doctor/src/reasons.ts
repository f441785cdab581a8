/** Explains why a server is unreachable, with the fix. */

interface Reason {
  readonly what: string
  readonly mend: string
}

const REASONS: readonly (readonly [RegExp, Reason])[] = [
  [
    /ECONNREFUSED/,
    {
      what: 'nothing listens there',
      mend: 'Start the server, or the proxy in front of it; look at the port. In a container the server needs MASK_MCP_HOST=0.0.0.0.',
    },
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    { what: 'there is no such host', mend: 'Check the spelling and the DNS record.' },
  ],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/,
    {
      what: 'its certificate is not trusted',
      mend: 'Serve a certificate for this host name with its whole chain (nginx: the file fullchain.pem). For an authority of your own start the doctor with NODE_EXTRA_CA_CERTS=ca.pem; clients will need the same.',
    },
  ],
  [
    /EPROTO|SSL|wrong version number/i,
    {
      what: 'it does not use TLS there',
      mend: 'Look at http or https and at the port: TLS ends at a proxy, the server itself uses http.',
    },
  ],
  [
    /Timeout|aborted|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|no answer within/i,
    { what: 'it does not answer', mend: 'Look at firewalls, and at what the proxy forwards to.' },
  ],
  [
    /ECONNRESET/,
    {
      what: 'the connection broke off without an answer',
      mend: 'Look at the log of the proxy, and whether it forwards to http or https.',
    },
  ],
]

/** The reason for a failed request. */
export function reasonOf(error: unknown): Reason {
  const text = textOf(error)
  const [, known] = REASONS.find(([pattern]) => pattern.test(text)) ?? []
  return known ?? { what: text, mend: 'Look at the logs of the server and of the proxy.' }
}

/** The error's code, name and message, and those of its causes. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  const inner = error instanceof AggregateError ? error.errors.map(textOf) : []
  const cause = error.cause === undefined ? [] : [textOf(error.cause)]
  const parts = [code, error.name === 'Error' ? undefined : error.name, error.message]
  return [...parts, ...inner, ...cause].filter((part) => part).join(' ')
}
