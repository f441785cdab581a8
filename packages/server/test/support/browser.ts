/** A real browser for tests: headless Chromium, restricted to loopback. */

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { contrast } from './contrast.ts'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const SCREENSHOTS = join(import.meta.dirname, '../../../../artifacts/screenshots')

/** As root and in containers, Chromium cannot use its sandbox and /dev/shm. */
const FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
]

/** One page in its own browser profile, with its recorded requests and console errors. */
export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  /** Origins of every request, forms and redirects included. */
  readonly origins: ReadonlySet<string>
  /** Console errors, except statuses that the test expects. */
  readonly complaints: readonly string[]
}

export type OpenTab = (options?: BrowserContextOptions) => Promise<Tab>

/**
 * A suite with one browser and any number of separate profiles. Skipped with a message
 * where there is no Chromium; `REQUIRE_BROWSER=1` turns that into a failure.
 */
export function describeBrowser(title: string, suite: (open: OpenTab) => void): void {
  const program = findProgram()
  if (program === undefined) withoutBrowser(title)
  else describe(title, () => suite(withBrowser(program)))
}

/** Starts the browser before the tests of this suite, and closes the pages of each test. */
function withBrowser(executablePath: string): OpenTab {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: FLAGS })
  })
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())))
  afterAll(() => browser.close())
  return (options) => openTab(browser, options)
}

function withoutBrowser(title: string): void {
  const reason = `no Chromium: none of ${PROGRAMS.join(', ')} is installed`
  if (process.env.REQUIRE_BROWSER === '1') {
    describe(title, () => it('has its browser', () => expect.fail(reason)))
  } else {
    process.stderr.write(`Skipped: ${title}: ${reason}\n`)
    describe.skip(title, () => it(reason, () => undefined))
  }
}

function findProgram(): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter)
  return PROGRAMS.flatMap((name) => directories.map((directory) => join(directory, name))).find(
    (path) => existsSync(path),
  )
}

async function openTab(browser: Browser, options?: BrowserContextOptions): Promise<Tab> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const origins = new Set<string>()
  const complaints: string[] = []
  page.on('request', (request) => void origins.add(new URL(request.url()).origin))
  page.on('pageerror', (error) => void complaints.push(error.message))
  page.on('console', (message) => {
    const status = /^Failed to load resource: the server responded with a status of/
    if (message.type() === 'error' && !status.test(message.text())) complaints.push(message.text())
  })
  return { page, context, origins, complaints }
}

/** Saves a full-page screenshot for review. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true })
}

/** Whether the page overflows the viewport horizontally. */
export function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate(
    'document.documentElement.scrollWidth > document.documentElement.clientWidth',
  )
}

interface TextColours {
  readonly text: string
  /** Red, green and blue from 0 to 255. */
  readonly ink: readonly number[]
  readonly ground: readonly number[]
}

/** Runs in the page: every element with text of its own, and the first opaque ground below it. */
const TEXT_COLOURS = `(() => {
  const numbers = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor)
      if ((colour[3] ?? 1) === 1) return colour
    }
    return [255, 255, 255]
  }
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
  return [...document.body.querySelectorAll('*')].filter(hasText).map((element) => ({
    text: element.textContent.trim(),
    ink: numbers(getComputedStyle(element).color),
    ground: ground(element),
  }))
})()`

/** Texts whose contrast is below 4.5:1 (WCAG 2.2, 1.4.3). */
export async function faintTexts(page: Page): Promise<readonly string[]> {
  const all = await page.evaluate<readonly TextColours[]>(TEXT_COLOURS)
  expect(all.length).toBeGreaterThan(0)
  return all.filter(({ ink, ground }) => contrast(ink, ground) < 4.5).map(({ text }) => text)
}
