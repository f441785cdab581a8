/** Resources and prompts that require a sign-in, and a raw client that signs in for them. */

import { moduleOf } from '../engine/catalog.ts'
import { codeIn, newBrowser, signInAs } from '../support/sign-in.ts'
import { type Message, postModern, read } from '../support/wire.ts'

export const IBAN = 'GB33BUKB20201555555555'
export const FORMS = { elicitation: { form: {}, url: {} } }
export const SESSION = 'mcp-template/session'

export const PERSON_CATALOG = {
  'resources/all.ts': moduleOf(`export default [
    defineResource({
      name: 'account', uri: 'bank://accounts/{id}', requires: { login: true },
      cache: { ttlMs: 1000, cacheScope: 'public' },
      output: z.object({ owner: z.string(), iban: masked(z.string(), { left: 4, right: 2 }) }),
      complete: { id: async (typed, { upstream, session }) => {
        const { owner } = await upstream.get('/accounts/{id}', { id: 'me' })
        return [owner + ' ' + session.state + ' ' + typed]
      } },
      read: ({ variables, upstream, signal }) =>
        upstream.get('/accounts/{id}', { id: variables.id }, { signal }),
    }),
    defineResource({
      name: 'leaky', uri: 'bank://leaky', requires: { login: true },
      output: z.object({ iban: masked(z.string()) }),
      read: async ({ upstream, log, progress }) => {
        const { iban } = await upstream.get('/accounts/{id}', { id: 'me' })
        log.info('read ' + iban)
        await progress(1, 2, 'read ' + iban)
        throw new ToolError('No account ' + iban, { code: 'upstream_not_found' })
      },
    }),
    defineResource({
      name: 'asks', uri: 'bank://asks/{id}',
      read: async ({ variables, ask }) => {
        const { why } = await ask({ why: form('Why ' + variables.id + '?', z.object({ text: z.string() })) })
        return variables.id + ': ' + JSON.stringify(why.content)
      },
    }),
    defineResource({ name: 'slow', uri: 'bank://slow', timeoutSeconds: 0.05,
      read: async ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) }),
    defineResource({ name: 'limited', uri: 'bank://limited', rateLimit: { calls: 1, perSeconds: 60 },
      read: async () => 'once' }),
    defineResource({ name: 'who', uri: 'bank://who',
      read: async ({ caller, session, settings, services }) =>
        JSON.stringify({ kind: caller.kind, state: session.state, settings, services }) }),
    defineResource({ name: 'remembers', uri: 'bank://remembers',
      read: async ({ session }) => {
        const count = (session.get('count') ?? 0) + 1
        await session.set('count', count)
        return String(count)
      } }),
  ]`),
  'prompts/all.ts': moduleOf(`export default [
    definePrompt({
      name: 'summary', description: 'Sums up.', requires: { login: true },
      arguments: z.object({ style: z.string().max(20) }),
      complete: { style: (typed, { session }) => [session.state + ' ' + typed] },
      render: async ({ style }, { upstream }) => {
        const { owner } = await upstream.get('/accounts/{id}', { id: 'me' })
        return style + ' for ' + owner
      },
    }),
    definePrompt({
      name: 'asks', description: 'Asks.', arguments: z.object({ topic: z.string() }),
      render: async ({ topic }, { ask }) => {
        const { why } = await ask({ why: form('Why ' + topic + '?', z.object({ text: z.string() })) })
        return topic + ': ' + JSON.stringify(why.content)
      },
    }),
  ]`),
}

/** Signs in by the request of a read, whose result has the session's handle. */
export async function signedIn(url: string, person: string): Promise<string> {
  const uri = 'bank://accounts/me'
  const get = async (params: object) =>
    (await read(postModern(url, 'resources/read', { uri, ...params }, { capabilities: FORMS })))
      .message.result as {
      readonly requestState: string
      readonly inputRequests: { sign_in: { params: { url: string; message: string } } }
      readonly _meta: Record<string, string>
    }
  const { requestState, inputRequests } = await get({})
  const { params } = inputRequests.sign_in
  await signInAs(newBrowser(), { url: params.url, code: codeIn(params.message) }, person)
  const inputResponses = { sign_in: { action: 'accept' } }
  const { _meta } = await get({ requestState, inputResponses })
  return _meta[SESSION] ?? ''
}

export const contentsOf = ({ result }: Message) =>
  (result?.contents as { text: string }[] | undefined)?.[0]?.text
export const textOf = ({ result }: Message) =>
  (result?.messages as { content: { text: string } }[] | undefined)?.[0]?.content.text
