/** Formats reports as text and as JSON. */

import { styleText } from 'node:util'
import type { CheckReport, Finding, Verdict } from './findings.ts'

const SIGNS: Readonly<Record<Verdict, string>> = {
  ok: '✓ ok     ',
  warning: '! warning',
  wrong: '✗ wrong  ',
  skipped: '- skipped',
}

/** Exceeds all of the doctor's own texts. */
const LONGEST_TEXT = 1000

/**
 * Sanitizes text from a server: removes terminal escape sequences and invisible characters, and
 * truncates it.
 */
export function legible(text: string): string {
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

const COLOURS = { ok: 'green', warning: 'yellow', wrong: 'red', skipped: 'gray' } as const

export interface TextReport {
  check(report: CheckReport): void
  summary(reports: readonly CheckReport[]): void
}

/** Uses colours only on a terminal. */
export function createTextReport(out: NodeJS.WriteStream): TextReport {
  const isPainted = out.isTTY === true && process.env.NO_COLOR === undefined
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    isPainted ? styleText(style, text) : text
  const line = (text = '') => void out.write(`${text}\n`)

  /** Prints a fix once if consecutive findings share it. */
  function finding({ verdict, what, mend }: Finding, next: Finding | undefined): void {
    line(`  ${paint(COLOURS[verdict], SIGNS[verdict])} ${legible(what)}`)
    if (mend !== undefined && mend !== next?.mend)
      line(`  ${' '.repeat(SIGNS.ok.length)} ${paint('bold', '→')} ${legible(mend)}`)
  }

  return {
    check({ title, findings }) {
      line()
      line(paint('bold', title))
      for (const [index, each] of findings.entries()) finding(each, findings[index + 1])
    },
    summary(reports) {
      const counts = countVerdicts(reports)
      line()
      line(
        Object.entries(counts)
          .map(([verdict, count]) => `${verdict} ${count}`)
          .join(', '),
      )
      line(
        counts.wrong === 0
          ? 'Nothing is wrong.'
          : 'Begin with the first one that is wrong: others may be consequences.',
      )
    },
  }
}

/** The report as one JSON object. */
export function asJson(base: string, reports: readonly CheckReport[]): string {
  const values = { url: base, counts: countVerdicts(reports), checks: reports }
  const write = (_key: string, value: unknown) =>
    typeof value === 'string' ? legible(value) : value
  return JSON.stringify(values, write, 2)
}

export function countVerdicts(reports: readonly CheckReport[]): Record<Verdict, number> {
  const counts = { ok: 0, warning: 0, wrong: 0, skipped: 0 }
  for (const { verdict } of reports.flatMap(({ findings }) => findings)) counts[verdict] += 1
  return counts
}
