/** Configuration of the pages. */

import { describe, expect, it } from 'vitest'
import { load, refusal } from './load.ts'

describe('the pages', () => {
  it.each(['0b7285', '#0b7285', '0B7285'])('accept the colour %s', (APP_COLOR) => {
    expect(load({ APP_COLOR }).config.pages).toEqual({ color: '#0b7285' })
  })

  it('accept a description and a support URL', () => {
    const given = {
      APP_DESCRIPTION: 'Reads accounts.',
      APP_SUPPORT_URL: 'https://bank.example/help',
    }
    expect(load(given).config.pages).toMatchObject({
      description: 'Reads accounts.',
      supportUrl: 'https://bank.example/help',
    })
  })

  it('refuse an invalid colour or URL without repeating it', () => {
    const faulty = { APP_COLOR: 'red; }', APP_SUPPORT_URL: 'javascript:alert(1)' }
    const { message } = refusal(faulty)
    expect(message).toContain('APP_COLOR must be six hexadecimal digits such as 1f4fbf')
    expect(message).toContain('APP_SUPPORT_URL must be an http or https address')
    expect(message).not.toMatch(/red;|javascript/)
  })
})
