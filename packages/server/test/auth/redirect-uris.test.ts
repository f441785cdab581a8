/** Redirect URIs: which may be registered, and what the consent page shows. */

import { describe, expect, it } from 'vitest'
import { describeTarget, redirectUriFault } from '../../src/auth/redirect-uris.ts'

const SCHEMES = ['cursor', 'vscode', 'com.example.app']

const ALLOWED = [
  'https://client.example',
  'https://client.example/',
  'https://client.example?tenant=1',
  'https://client.example:8443/callback?tenant=1&next=%2Fhome',
  'https://claude.ai/api/mcp/auth_callback',
  'https://vscode.dev/redirect',
  'https://xn--bcher-kva.example/callback',
  'https://a_b-c.example/~user/(x);v=1',
  'https://[2606:4700::1111]/callback',
  'http://localhost:6274/oauth/callback',
  'http://localhost',
  'http://127.0.0.1/',
  'http://127.0.0.1:33418',
  'http://127.0.0.1:80/callback',
  'http://[::1]:7777/callback?x=1',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'vscode://vscode.github-authentication/did-authenticate',
  'com.example.app:/oauth2redirect',
  `https://client.example/${'x'.repeat(2000)}`,
]

const REFUSED = [
  '',
  'callback',
  '/callback',
  '//client.example/callback',
  // No host, or one that parsers disagree about.
  'https://',
  'https:///callback',
  'https:client.example',
  'https:/client.example',
  'https:\\\\client.example',
  'https://client.example\\@evil.example/',
  'https://client.example\\.evil.example/',
  'https://CLIENT.example/',
  'HTTPS://client.example/',
  'https://client.example:443/',
  'https://client.example:99999/',
  'https://client..example/',
  'https://client%2eexample/',
  'https://bücher.example/',
  'https://①②⑦.0.0.1/',
  // Credentials, fragments, wildcards.
  'https://client.example@evil.example/',
  'https://user:password@client.example/',
  'https://@client.example/',
  'https://client.example/#',
  'https://client.example/#fragment',
  'https://*.example/',
  'https://client.example/*',
  // Control characters, white space, and texts that are not URIs.
  ' https://client.example/',
  'https://client.example/ ',
  'https://client.example/\n',
  'ht\ttps://client.example/',
  'https://client.example/\u0000',
  'https://client.example/\u202e',
  'https://client.example/%00',
  'https://client.example/%0d%0aLocation:%20https://evil.example',
  'https://client.example/?x=%0A',
  'https://client.example/%',
  'https://client.example/%zz',
  'https://client.example/<script>',
  'https://client.example/"',
  // Paths that normalize to other paths.
  'https://client.example/a/../b',
  'https://client.example/./b',
  'https://client.example/%2e%2e/b',
  'https://client.example/a/.%2E/b',
  'https://client.example/a%2fb',
  'https://client.example/a%5cb',
  'https://client.example/%252e%252e/b',
  // Parameters of a response that are already present.
  'https://client.example/?code=attackers',
  'https://client.example/?x=1&state=s',
  'https://client.example/?iss=https://evil.example',
  // Plain text, and what only looks like loopback.
  'http://client.example/',
  'http://localhost.evil.example/',
  'http://127.0.0.1.evil.example/',
  'http://localhost@evil.example/',
  'http://127.0.0.1:80@evil.example/',
  'http://127.0.0.1:99999/',
  'http://127.1/',
  'http://0x7f000001/',
  'http://2130706433/',
  'http://0.0.0.0/',
  'http://192.168.0.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://localhost./',
  'http://LOCALHOST/',
  'https://localhost/callback',
  'https://127.0.0.1/callback',
  // Schemes.
  'javascript:alert(1)',
  'javascript://client.example/%0aalert(1)',
  'JavaScript:alert(1)',
  'data:text/html,x',
  'data://text/html',
  'file:///etc/passwd',
  'vbscript:x',
  'blob:https://client.example/x',
  'about:blank',
  'view-source:https://client.example/',
  'filesystem:https://client.example/x',
  'intent://scan/',
  'ftp://client.example/',
  'wss://client.example/',
  'mailto:a@client.example',
  'unknown://client.example/callback',
  'cursor2://x/',
  'cursor:alert(1)',
  'cursor:',
  'CURSOR://x/',
  'cursor://user@x/callback',
  'cursor://x/../y',
  'cursor://x/#fragment',
  'cursor://x/?code=1',
  `https://client.example/${'x'.repeat(2048)}`,
]

describe('a client', () => {
  it.each(ALLOWED)('may register %s', (uri) => {
    expect(redirectUriFault(uri, SCHEMES)).toBeUndefined()
  })

  it.each(REFUSED)('may not register %j', (uri) => {
    expect(redirectUriFault(uri, SCHEMES)).toMatch(/^must /)
  })

  it('may not register schemes that execute code or read files, whatever is configured', () => {
    const careless = ['javascript', 'data', 'file', 'vbscript', 'http', 'intent', 'blob']
    for (const scheme of careless) {
      expect(redirectUriFault(`${scheme}://x/callback`, careless), scheme).toMatch(/^must /)
    }
  })

  it('may register no custom scheme where none is configured', () => {
    expect(redirectUriFault('cursor://x/callback', [])).toMatch(/scheme/)
  })
})

describe('the consent page shows', () => {
  it.each([
    ['https://client.example:8443/callback', { kind: 'https', host: 'client.example:8443' }],
    ['http://127.0.0.1:3000/', { kind: 'loopback', host: '127.0.0.1:3000' }],
    ['http://[::1]:3000/', { kind: 'loopback', host: '[::1]:3000' }],
    ['cursor://anysphere.cursor-mcp/x', { kind: 'app', scheme: 'cursor' }],
  ])('the target of %s', (uri, target) => {
    expect(describeTarget(uri)).toEqual(target)
  })
})
