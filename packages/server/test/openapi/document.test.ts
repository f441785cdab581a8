/** Accepted documents and formats, and the reasons for refusing others. */

import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/openapi/document.ts'
import { callTool } from '../support/tools.ts'
import { documentOf, generate, load } from './generated.ts'

const paths = { '/x': { get: { operationId: 'probe', responses: {} } } }

describe('a document', () => {
  it.each(['3.0.0', '3.0.4', '3.1.0', '3.1.2', '3.2.0'])(
    'may be of version %s',
    async (openapi) => {
      expect((await generate(documentOf(paths, { openapi }))).plans.size).toBe(1)
    },
  )

  it('may be YAML, with a byte order mark', async () => {
    const yaml =
      '\uFEFFopenapi: "3.0.3"\npaths:\n  /x:\n    get: { operationId: probe, responses: {} }\n'
    expect([...(await generate(yaml)).plans.keys()]).toEqual(['probe'])
  })

  it('may be Swagger 2.0, which is upgraded', async () => {
    const definitions = { Pet: { type: 'object', properties: { name: { type: 'string' } } } }
    const schema = { $ref: '#/definitions/Pet' }
    const swagger = {
      ...{ swagger: '2.0', info: {}, host: 'api.example.com', basePath: '/v1', definitions },
      paths: {
        '/pets/{id}': {
          put: {
            operationId: 'probe',
            parameters: [
              { name: 'id', in: 'path', required: true, type: 'string' },
              { name: 'dry', in: 'query', type: 'boolean' },
              { name: 'pet', in: 'body', schema },
            ],
            responses: { 200: { description: 'OK', schema } },
          },
        },
      },
    }
    const generated = await generate(swagger)
    expect(generated.skipped).toEqual({})
    const tool = (await load(generated))('probe')
    const upstream = { 'PUT /pets/{id}': { name: 'Rex', age: 3 } }
    const input = { id: '7', dry: true, name: 'Rex' }
    const result = await callTool(tool, input, { signedInAs: { sub: 'ada' }, upstream })
    expect(result.requests).toMatchObject([
      { params: { id: '7', dry: true }, body: { name: 'Rex' } },
    ])
    expect(result.structuredContent).toEqual({ name: 'Rex' })
    expect((await parseDocument(JSON.stringify(swagger))).servers).toEqual([
      'http://api.example.com/v1',
    ])
  })

  it.each([
    ['', 'it is no object'],
    ['[]', 'it is no object'],
    ['"text"', 'it is no object'],
    ['{', 'It is not JSON'],
    ['{"a":1}', 'it must have `openapi:'],
    ['{"openapi":"4.0.0"}', 'it must have `openapi:'],
    ['{"openapi":3.1}', 'it must have `openapi:'],
    ['{"swagger":"1.2"}', 'it must have `openapi:'],
    ['a: [', 'neither JSON nor YAML'],
    ['<html></html>', 'it is no object'],
    ['{"openapi":"3.1.0"}', 'The document has no paths'],
    ['{"openapi":"3.1.0","paths":{}}', 'The document has no paths'],
    ['{"openapi":"3.1.0","paths":[]}', 'The document has no paths'],
    ['{"asyncapi":"3.0.0","channels":{}}', 'it must have `openapi:'],
  ])('is refused: %s', async (text, message) => {
    await expect(parseDocument(text)).rejects.toThrow(message)
  })

  it.each([
    ['a: b', 'Reading YAML needs a package: npm install --save-dev yaml'],
    [
      '{"swagger":"2.0"}',
      'Reading Swagger 2.0 needs a package: npm install --save-dev @scalar/openapi-upgrader',
    ],
  ])('reports the package to install if one is missing: %s', async (text, message) => {
    const missing = async () => {
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    }
    const packages = { yaml: missing, '@scalar/openapi-upgrader': missing }
    await expect(parseDocument(text, packages)).rejects.toThrow(message)
  })

  it('of JSON requires no package', async () => {
    const missing = () => expect.fail('was loaded')
    const packages = { yaml: missing, '@scalar/openapi-upgrader': missing }
    const text = JSON.stringify(documentOf(paths, { openapi: '3.0.3' }))
    expect((await parseDocument(text, packages)).title).toBe('Test')
  })
})
