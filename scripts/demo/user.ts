/**
 * A simulated user with an AI client: calls tools, signs in with a browser, and checks every
 * response.
 */

import type { Client } from '@modelcontextprotocol/client'
import { createBrowser, headingOf } from '../../packages/server/src/testing/form-browser.ts'
import { check, type Report } from './report.ts'

/** Ada's data at the demo bank, and the part that no response may contain. */
const ADA = {
  button: 'ada',
  name: 'Ada Lovelace',
  number: '55555555',
  iban: 'GB33BUKB20201555555555',
}

type Result = Awaited<ReturnType<Client['callTool']>>

interface Account {
  readonly owner: string
  readonly accountNumber: string
  readonly iban: string
  readonly balance: number
  readonly currency: string
}

interface Link {
  readonly url: string
  readonly code: string
  readonly session?: string
}

export interface User {
  connected(): Promise<void>
  /** Expects `service` to fail with a hint for the sign-in. */
  refused(): Promise<void>
  /** Signs in; returns the session handle for clients that are not recognised without one. */
  signsIn(): Promise<string | undefined>
  readsAccount(): Promise<void>
  signsOut(): Promise<void>
}

/** The user of a connected client. */
export function createUser(client: Client, report: Report): User {
  let session: string | undefined

  async function call(name: string): Promise<Result> {
    if (session === undefined) {
      report.asked(name)
      return client.callTool({ name, arguments: {} })
    }
    report.asked(`${name} { session: "${shorten(session)}" }`)
    return client.callTool({ name, arguments: { session } })
  }

  return {
    async connected() {
      const { tools } = await client.listTools()
      const names = tools.map((tool) => tool.name).join(', ')
      report.answered(`protocol ${client.getNegotiatedProtocolVersion()}, tools: ${names}`)
      check(/login.*service/.test(names), 'the tools are not there')
    },
    async refused() {
      const result = await call('service')
      report.answered(`refused: ${textOf(result)}`)
      check(result.isError === true, 'service answered without a sign-in')
      check(textOf(result).includes('login'), 'the refusal does not say to call login')
    },
    async signsIn() {
      const result = await call('login')
      const link = result.structuredContent as Link | undefined
      check(link !== undefined, `login failed: ${textOf(result)}`)
      report.answered(`a link for the browser: ${shorten(link.url)}`)
      report.answered(`a code for the person: ${link.code}`)
      if (link.session !== undefined) report.answered(`a session: ${shorten(link.session)}`)
      await browse(link, report)
      session = link.session
      return session
    },
    async readsAccount() {
      const result = await call('service')
      const account = result.structuredContent as Account | undefined
      check(result.isError !== true && account !== undefined, `refused: ${textOf(result)}`)
      const { owner, accountNumber, iban, balance, currency } = account
      report.answered(`${owner}, account ${accountNumber}, IBAN ${iban}`)
      report.answered(`balance ${balance.toFixed(2)} ${currency}`)
      check(owner === ADA.name, 'this is somebody else’s account')
      check(accountNumber.endsWith(ADA.number.slice(-4)), 'the account number is another one')
      const all = JSON.stringify(result)
      check(!all.includes(ADA.number) && !all.includes(ADA.iban), 'the answer is not masked')
    },
    async signsOut() {
      const result = await call('logout')
      const { ended } = (result.structuredContent ?? {}) as { ended?: boolean }
      report.answered(ended === true ? 'signed out' : textOf(result))
      check(ended === true, 'logout did not end the session')
    },
  }
}

/**
 * Enters the code on the server's page, chooses an account on the provider's page, and follows the
 * redirects back.
 */
async function browse(link: Link, report: Report): Promise<void> {
  const browser = createBrowser()
  const ours = await browser.open(link.url)
  report.asked(`browser: “${headingOf(ours)}”, type the code`)
  const providers = await browser.open(ours.url, { code: link.code })
  report.asked(`browser: “${headingOf(providers)}”, choose ${ADA.name}`)
  check(providers.text.includes(ADA.name), 'the identity provider does not know Ada')
  const end = await browser.open(providers.url, { person: ADA.button })
  report.answered(`browser: “${headingOf(end)}”`)
  check(end.status === 200 && headingOf(end) === 'Login successful', 'the sign-in did not work')
}

/** The text of a tool's result. */
function textOf({ content }: Result): string {
  const [first] = content
  return first?.type === 'text' ? first.text : '(no text)'
}

/** Truncates long ids for readers. */
function shorten(text: string): string {
  return text.replace(/((?:lnk|ses)_.{6}).*/, '$1…')
}
