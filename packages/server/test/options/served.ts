/** The visible output of a server with some options off. */

import { afterFile } from '../support/after-file.ts'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'

/** Starts a server with options; it is stopped after the tests of the file. */
export async function serve(
  server: TestAppOptions['server'],
  env: TestAppOptions['env'] = {},
  further: Pick<TestAppOptions, 'demoApi'> = {},
): Promise<TestApp> {
  const app = await startApp({ ...further, env, ...(server !== undefined && { server }) })
  afterFile(() => app.stop())
  return app
}

/** The status and the text of an answer. */
export async function fetchText(url: string, init: RequestInit = {}) {
  const response = await fetch(url, { redirect: 'manual', ...init })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The page that a browser is shown at `/`. */
export async function pageOf({ localUrl }: TestApp) {
  return fetchText(localUrl, { headers: { accept: 'text/html' } })
}

/** The route labels of metrics, after requests. */
export async function routeLabels({ url }: TestApp): Promise<readonly string[]> {
  const { text } = await fetchText(`${url}/metrics`)
  return [...text.matchAll(/route="([^"]+)"/g)].map(([, label = '']) => label)
}
