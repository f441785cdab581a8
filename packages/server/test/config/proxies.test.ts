/** The standard variables for outgoing proxies: both spellings, and what is refused. */

import { describe, expect, it } from 'vitest'
import { faultsOf, load, refusal } from './load.ts'

const WITH_CREDENTIALS = 'http://user:hidden-word@proxy.example.com:3128'

describe('outgoing proxies', () => {
  it('are none without the variables', () => {
    expect(load().config.outgoing).toEqual({ noProxy: [] })
  })

  it('are shown without their credentials', () => {
    const { config, secrets } = load({ HTTPS_PROXY: WITH_CREDENTIALS, NO_PROXY: 'a.example, .b' })
    expect(config.outgoing).toEqual({
      httpsProxy: 'http://proxy.example.com:3128',
      noProxy: ['a.example', '.b'],
    })
    expect(secrets.httpsProxy).toBe(`${WITH_CREDENTIALS}/`)
    expect(JSON.stringify({ config, secrets })).not.toContain('hidden-word')
  })

  it.each(['env', 'file'])('are read in lower case too, which wins, from the %s', (where) => {
    const given = { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2', no_proxy: 'x' }
    const lines = Object.entries(given).map(([name, value]) => `${name}=${value}`)
    const loaded = where === 'env' ? load(given) : load({}, { files: { '.env': lines.join('\n') } })
    expect(loaded.config.outgoing).toEqual({ httpsProxy: 'http://low:1', noProxy: ['x'] })
    expect(loaded.warnings).toEqual([])
  })

  it('are read although the one in lower case is empty', () => {
    const { outgoing } = load({ http_proxy: '', HTTP_PROXY: 'proxy.example.com:3128/' }).config
    expect(outgoing.httpProxy).toBe('http://proxy.example.com:3128')
  })

  it.each([
    'proxy',
    'socks5://proxy:1',
    'http://proxy/path',
    'http://%zz:x@proxy',
    'http://',
    '::',
  ])('%s is refused with the name of the variable, without the value', (HTTPS_PROXY) => {
    expect(faultsOf({ HTTPS_PROXY })).toEqual(['HTTPS_PROXY'])
    expect(faultsOf({ http_proxy: HTTPS_PROXY })).toEqual(['HTTP_PROXY'])
    expect(refusal({ HTTPS_PROXY }).message).not.toContain(`"${HTTPS_PROXY}"`)
  })

  it.each(['localhost,127.0.0.1', '10.0.0.0/8,::1', '*', 'a_b.example:8080'])(
    'do not apply to the hosts of %s',
    (NO_PROXY) => {
      expect(load({ NO_PROXY }).config.outgoing.noProxy).toEqual(NO_PROXY.split(','))
    },
  )

  it.each(['http://a.example', 'a b'])('NO_PROXY=%s is refused', (NO_PROXY) => {
    expect(faultsOf({ NO_PROXY })).toEqual(['NO_PROXY'])
  })
})
