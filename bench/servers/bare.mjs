/** The baseline of any server: `node:http`, JSON in and JSON out. */

import { createServer } from 'node:http'
import { PORT } from './arguments.mjs'
import { echoAnswer, readJson, send } from './bare-http.mjs'

createServer(async (request, response) => {
  if (request.method !== 'POST') return response.end()
  send(response, echoAnswer(await readJson(request)))
}).listen(PORT, '127.0.0.1')
