/** Requirements, annotations and error messages of generated tools follow the document. */

import { describe, expect, it } from 'vitest'
import { UpstreamError } from '../../src/engine/index.ts'
import { callTool } from '../support/tools.ts'
import { documentOf, generate, load, operationWith } from './generated.ts'

const signedIn = { signedInAs: { sub: 'ada' } }
const text = { type: 'string' }

describe('refusals of the API', () => {
  it('reach the model with the description of the document', async () => {
    const responses = {
      400: { description: 'Bad Request' },
      401: { description: 'Who are you?' },
      409: { description: 'There is an\naccount of that name.' },
    }
    const paths = { '/x': { delete: { operationId: 'probe', responses } } }
    const tool = (await load(await generate(documentOf(paths))))('probe')
    const refusedWith = async (status: number) => {
      const upstream = { 'DELETE /x': new UpstreamError('upstream_rejected', { status }) }
      const { code, text } = await callTool(tool, {}, { ...signedIn, upstream })
      return [code, text]
    }
    expect(await refusedWith(409)).toEqual([
      'upstream_rejected',
      'There is an account of that name.',
    ])
    expect((await refusedWith(400))[0]).toBe('upstream_rejected')
    expect((await refusedWith(401))[0]).toBe('upstream_rejected')
  })
})

describe('what an operation requires', () => {
  const components = {
    securitySchemes: {
      key: { type: 'apiKey', in: 'header', name: 'x' },
      oauth: { type: 'oauth2', flows: {} },
    },
  }

  it.each([
    ['nothing declared', {}, true, ['service:read']],
    ['an open operation', { security: [] }, false, ['service:read']],
    ['a key of the server', { security: [{ key: [] }] }, false, ['service:read']],
    ['scopes', { security: [{ oauth: ['a:b', 'no "scope"', 'c'] }] }, true, ['a:b', 'c']],
    ['an unknown scheme', { security: [{ other: ['a'] }] }, true, ['service:read']],
  ])('with %s', async (_, operation, needsLogin, scopes) => {
    const paths = { '/x': { get: operationWith(text, operation) } }
    const { plans } = await generate(documentOf(paths, { components }))
    expect(plans.get('get_x')).toMatchObject({ needsLogin, scopes })
  })

  it.each([
    ['get', { readOnlyHint: true }],
    ['post', { destructiveHint: true }],
    ['put', { destructiveHint: true, idempotentHint: true }],
    ['delete', { destructiveHint: true, idempotentHint: true }],
  ])('has annotations for %s', async (method, annotations) => {
    const paths = { '/x': { [method]: { operationId: 'probe', responses: {} } } }
    const tool = (await load(await generate(documentOf(paths))))('probe')
    expect(tool.annotations).toEqual(annotations)
  })
})
