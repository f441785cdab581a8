/**
 * The baseline of the real work: like `bare.mjs`, but each call verifies an HS256 token and reads and
 * touches its session in Redis with one `GETEX`. The secret and the address of Redis come from the
 * environment.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { createClient } from '@redis/client'
import { PORT } from './arguments.mjs'
import { echoAnswer, readJson, send } from './bare-http.mjs'

const { JWT_SECRET, REDIS_URL, BARE_SESSION_TTL = '3600' } = process.env

const redis = createClient({ url: REDIS_URL })
redis.on('error', (error) => console.error(error))
await redis.connect()

/** The claims of the token; undefined unless its signature and lifetime are valid. */
function read(token) {
  const [header, payload, signature] = token.split('.')
  const expected = createHmac('sha256', JWT_SECRET).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature ?? '', 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  const claims = JSON.parse(Buffer.from(payload, 'base64url'))
  return claims.exp * 1000 > Date.now() ? claims : undefined
}

createServer(async (request, response) => {
  if (request.method !== 'POST') return response.end()
  const claims = read((request.headers.authorization ?? '').slice('Bearer '.length))
  const body = await readJson(request)
  const session =
    claims &&
    (await redis.sendCommand(['GETEX', `bare:${claims.session_id}`, 'EX', BARE_SESSION_TTL]))
  if (!session || JSON.parse(session).id !== claims.session_id) {
    response.writeHead(401).end()
    return
  }
  send(response, echoAnswer(body))
}).listen(PORT, '127.0.0.1')
