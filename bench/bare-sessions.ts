/** Sessions for baseline (b): a small document in Redis for each, and a token. */

import { createSecretKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { SignJWT } from 'jose'

export const BARE_SECRET = 'a secret for the floor of the benchmark'

const TTL_SECONDS = 6 * 60 * 60

/** Creates `count` sessions; returns the file with one `Authorization` header per line. */
export async function makeBareSessions(
  redisUrl: string,
  count: number,
  folder: string,
): Promise<string> {
  const redis = createClient({ url: redisUrl })
  await redis.connect()
  const secret = createSecretKey(Buffer.from(BARE_SECRET, 'utf8'))
  const lines: string[] = []
  for (let index = 0; index < count; index += 1) {
    const id = `session-${index}`
    const times = { connectedAt: Date.now(), lastActiveAt: Date.now() }
    const session = JSON.stringify({ id, state: 'anonymous', ...times, data: {} })
    await redis.set(`bare:${id}`, session, { expiration: { type: 'EX', value: TTL_SECONDS } })
    const token = await new SignJWT({ session_id: id, scope: 'openid' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setExpirationTime('6h')
      .sign(secret)
    lines.push(`Bearer ${token}`)
  }
  await redis.close()
  const file = join(folder, `bare-${count}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
