/** Every script names keys of one hash slot, in all that callers of both eras do: a Redis Cluster refuses others. */

import { createClient } from '@redis/client'
import { expect, onTestFinished, test } from 'vitest'
import { definedScripts } from '../../src/store/redis-scripts.ts'
import { slotOf } from '../../src/store/redis-slots.ts'
import { startApp } from '../support/app.ts'
import { connectClient, structured } from '../support/clients.ts'
import { createOAuthClient } from '../support/oauth-client.ts'
import { startRedis } from '../support/redis.ts'
import { describeRedis } from '../support/redis-suite.ts'
import { newBrowser, type SignInLink, signInAs } from '../support/sign-in.ts'

/** The keys of each script that Redis was sent, by its hash. */
async function watchScripts(url: string) {
  const monitor = await createClient({ url }).connect()
  const sent: { readonly sha: string; readonly keys: readonly string[] }[] = []
  const string = /"((?:[^"\\]|\\.)*)"/g
  await monitor.monitor((line) => {
    const args = [...String(line).matchAll(string)].map(([, text = '']) => text)
    const [name = '', sha = '', count] = args
    if (name.toUpperCase() !== 'EVALSHA') return
    sent.push({ sha, keys: args.slice(3, 3 + Number(count)) })
  })
  onTestFinished(() => monitor.destroy())
  return sent
}

describeRedis('plain', 'scripts', () => {
  test('have their keys in one slot', async () => {
    const redis = await startRedis('plain')
    onTestFinished(() => redis.stop())
    const sent = await watchScripts(redis.url)
    const app = await startApp({ env: { REDIS_URL: redis.url, RATE_LIMIT: 'on' } })
    onTestFinished(() => app.stop())
    for (const era of ['2025-11-25', '2026-07-28'] as const) {
      const { client } = await connectClient(app.url, era)
      const login = await client.callTool({ name: 'login', arguments: {} })
      const link = structured<SignInLink>(login)
      await signInAs(newBrowser(), link)
      const session = link.session === undefined ? {} : { session: link.session }
      await client.callTool({ name: 'service', arguments: session })
      await client.callTool({ name: 'logout', arguments: session })
      await client.close()
    }
    const oauth = await createOAuthClient(app.url)
    const tokens = await oauth.connect()
    await oauth.refresh(tokens.refresh_token)
    await oauth.revoke(tokens.refresh_token)
    const known = new Set(definedScripts().map(({ sha }) => sha))
    const ours = sent.filter(({ sha }) => known.has(sha))
    expect(new Set(ours.map(({ sha }) => sha)).size).toBeGreaterThan(5)
    expect(ours.filter(({ keys }) => keys.length > 1).length).toBeGreaterThan(5)
    const apart = ours.filter(({ keys }) => new Set(keys.map(slotOf)).size !== 1)
    expect(apart).toEqual([])
  })
})
