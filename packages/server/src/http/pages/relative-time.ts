/** Times on pages, in words: without a script, a page cannot know the reader's time zone. */

import { html } from 'hono/html'
import type { Html } from './pages.ts'

const UNITS = [
  ['day', 24 * 60 * 60 * 1000],
  ['hour', 60 * 60 * 1000],
  ['minute', 60 * 1000],
] as const

/** Created with the first page that needs it: the locale data is expensive to load. */
let words: Intl.RelativeTimeFormat | undefined

/** The distance between two Unix times in milliseconds, such as `2 hours ago` or `in 10 minutes`. */
export function relativeTime(at: number, now: number): string {
  const distanceMs = at - now
  for (const [unit, lengthMs] of UNITS) {
    const count = Math.round(distanceMs / lengthMs)
    if (Math.abs(count) < 1) continue
    words ??= new Intl.RelativeTimeFormat('en')
    return words.format(count, unit)
  }
  return distanceMs > 0 ? 'in less than a minute' : 'just now'
}

/** A `time` element: the distance as text, the time in UTC as its title. */
export function timeOnPage(at: number, now: number): Html {
  const date = new Date(at)
  return html`<time datetime="${date.toISOString()}" title="${date.toUTCString()}">${relativeTime(at, now)}</time>`
}
