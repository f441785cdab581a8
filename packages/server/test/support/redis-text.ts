/** Everything in a Redis as one text: keys, values and entries of streams. */

import { createClient } from '@redis/client'

export async function redisText({ url }: { readonly url: string }): Promise<string> {
  const client = await createClient({ url }).connect()
  try {
    const parts = await Promise.all(
      (await client.keys('*')).map(async (key) => {
        switch (await client.type(key)) {
          case 'string':
            return [key, await client.get(key)]
          case 'hash':
            return [key, JSON.stringify(await client.hGetAll(key))]
          case 'stream':
            return [key, JSON.stringify(await client.xRange(key, '-', '+'))]
          default:
            return [key]
        }
      }),
    )
    return parts.flat().join('\n')
  } finally {
    client.destroy()
  }
}
