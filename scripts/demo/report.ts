/** Prints the demo: numbered steps with requests and responses. */

import { styleText } from 'node:util'

/** A failed step; the message is for the user. */
export class DemoFailure extends Error {}

export interface Report {
  title(text: string): void
  /** Begins a step. */
  step(text: string): void
  asked(text: string): void
  answered(text: string): void
  failed(reason: string): void
  end(text: string): void
}

type Style = Parameters<typeof styleText>[0]

/** Uses colours only on a terminal. */
export function createReport(out: NodeJS.WriteStream): Report {
  const paint = (style: Style, text: string) =>
    out.isTTY === true && process.env.NO_COLOR === undefined ? styleText(style, text) : text
  const line = (text = '') => void out.write(`${text}\n`)
  let count = 0
  return {
    title: (text) => line(paint('bold', text)),
    step(text) {
      count += 1
      line()
      line(`${paint('cyan', String(count).padStart(2))}  ${paint('bold', text)}`)
    },
    asked: (text) => line(`    ${paint('gray', '→')} ${text}`),
    answered: (text) => line(`    ${paint('green', '←')} ${text}`),
    failed(reason) {
      line()
      const where = count === 0 ? 'It did not start' : `Step ${count} failed`
      line(`${paint('red', '✗')} ${where}: ${reason}`)
    },
    end(text) {
      line()
      line(`${paint('green', '✓')} ${text}`)
    },
  }
}

/** Throws unless the condition holds. */
export function check(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new DemoFailure(otherwise)
}
