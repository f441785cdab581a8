/** A headless browser: keeps cookies by host and path, follows redirects, submits forms. */

export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
  readonly host: string
}

/** Exceeds the redirects of any real flow. */
const MOST_REDIRECTS = 20

export type Browser = ReturnType<typeof createBrowser>

/** Without `stopAt` it follows every redirect. `send` performs every request. */
export function createBrowser(stopAt?: string, send: typeof fetch = fetch) {
  const cookies: Cookie[] = []

  function keep(header: string, { hostname: host }: URL): void {
    const [pair = '', ...attributes] = header.split('; ')
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/'
    const isSame = (each: Cookie) => each.name === name && each.path === path && each.host === host
    const index = cookies.findIndex(isSame)
    if (index >= 0) cookies.splice(index, 1)
    if (value !== '') cookies.push({ name, value, path, host })
  }

  async function follow(
    to: URL | string,
    form: Record<string, string> | URLSearchParams | undefined,
    left: number,
  ): Promise<Page> {
    const url = new URL(to)
    if (left < 0) throw new Error(`${url.origin}${url.pathname} redirects in a circle`)
    const sent = cookies.filter(
      ({ path, host }) => host === url.hostname && url.pathname.startsWith(path),
    )
    const response = await send(url, {
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '),
      },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const header of response.headers.getSetCookie()) keep(header, url)
    const location = response.headers.get('location')
    const { status, headers } = response
    const text = await response.text()
    if (location === null) return { url, status, headers, text }
    const next = new URL(location, url)
    const stops = stopAt !== undefined && next.href.startsWith(stopAt)
    return stops ? { url: next, status, headers, text } : follow(next, undefined, left - 1)
  }

  return {
    cookies,
    /** Follows redirects up to `stopAt`, which it does not request. Rejects on a redirect loop. */
    open: (to: URL | string, form?: Record<string, string> | URLSearchParams): Promise<Page> =>
      follow(to, form, MOST_REDIRECTS),
  }
}

/** The main heading of a page. */
export function headingOf({ text }: Page): string {
  return text.split('<h1>')[1]?.split('</h1>')[0] ?? '(no heading)'
}
