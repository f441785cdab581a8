/** JSON over `node:http` with minimal code. */

/** The parsed body of a request. */
export function readJson(request) {
  return new Promise((resolve, reject) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      try {
        resolve(JSON.parse(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
      } catch (error) {
        reject(error)
      }
    })
    request.on('error', reject)
  })
}

/** The answer to a `tools/call` of `echo`. */
export function echoAnswer({ id, params }) {
  const structuredContent = { text: params.arguments.text }
  const content = [{ type: 'text', text: JSON.stringify(structuredContent) }]
  return { jsonrpc: '2.0', id, result: { content, structuredContent } }
}

export function send(response, answer) {
  const text = JSON.stringify(answer)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  response.writeHead(200, headers)
  response.end(text)
}
