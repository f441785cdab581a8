/**
 * `npm run words`: words that this project no longer uses, and the field's words instead. Fails if one
 * is in the sources, tests, scripts or documents.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Each pattern, and what to write instead. */
const RETIRED: readonly (readonly [pattern: string, write: string])[] = [
  ['tell|tells|told|telling', 'notify, report, send, say'],
  ['hears?|heard', 'receive, be notified'],
  ['nudges?|nudged', 'notification'],
  ['news', 'notification, new entries'],
  ['slid|slides? on|sliding on', 'sliding expiration, renew'],
  ['(?:is|are|was|were|be|while) away', 'unavailable, unreachable'],
  ['ways? out', 'response sink, response'],
  ['hangs? up|hangUp', 'close the stream'],
  ['lets? (?:a|an|the|this|that|it|them|in)(?: clients?)? in|lets? clients in|let in', 'authorize'],
  ['climbs?', 'require a sign-in'],
  ['(?:no longer|not) good', 'expired, invalid, revoked'],
  ['tr(?:y|ies) later', 'retry'],
  ['gets? together|next turn', 'batch, coalesce'],
  ['gives? back|given back', 'release, return'],
  ['takes? a place', 'acquire'],
  ['for ever', 'forever, without end, permanently'],
  ['mends?|mended', 'fix'],
  ['outlets?', 'response sink'],
  ['letIn\\w*', 'authorize'],
  ['doors?', 'resource requirement'],
  ['gates?', 'guard, middleware'],
  ['originsOf', 'request contexts'],
  ['short ways?', 'fast path'],
  ['stock', 'the SDK'],
  ['takes? back|taken back', 'revoke'],
  ['hands? (?:it |them |that )?on', 'forward'],
  ['comes? to nothing', 'fail'],
  ['nothing went wrong inside', 'no fault was logged'],
  ['orLetIn|letDirectCallerIn|letClientIn', 'authorize'],
  ['burns? (?:the|its)|burnt', 'consume'],
]

/**
 * Names in public APIs and wire formats, which keep theirs, by folder: the doctor's JSON report,
 * messages between nodes of two releases, and the results of the test helpers.
 */
const PUBLIC_NAMES: Readonly<Record<string, readonly string[]>> = {
  'packages/doctor/src/': ['mend'],
  'packages/server/src/mcp/': ['news'],
  'packages/server/src/testing/': ['told'],
  'packages/server/test/engine/': ['told'],
  'packages/server/test/mcp/': ['news'],
  'packages/server/test/scripts/': ['mend'],
  'packages/server/test/support/doctor.ts': ['mend'],
  'examples/tickets/src/tools/': ['told'],
}

const FILES = [
  ...['packages/*/src/**', 'packages/*/test/**', 'starter/**', 'examples/**'],
  ...['bench/**', 'conformance/**', 'scripts/**', '.ci/**', 'deploy/**', 'docs/**', 'README.md'],
].map((pattern) => `:(glob)${pattern}`)

/** Not texts of this project: lock files and images; and this file, which has the words. */
const IS_OTHER = /(?:\.lock|-lock\.json|\.png|\.svg|^scripts\/words\.ts)$/

interface Found {
  readonly file: string
  readonly line: number
  readonly word: string
  readonly write: string
  readonly isComment: boolean
}

const rules = RETIRED.map(
  ([pattern, write]) => [new RegExp(`(?<![\\w-])(?:${pattern})(?![\\w-])`, 'gi'), write] as const,
)

function wordsOf(file: string): readonly Found[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((text, index) =>
    rules.flatMap(([rule, write]) =>
      [...text.matchAll(rule)].map(([word]) => ({
        ...{ file, line: index + 1, word: word.toLowerCase(), write },
        isComment: /^\s*(?:\/?\*|\/\/)/.test(text),
      })),
    ),
  )
}

/** Whether it is a public name; comments are checked in any case. */
function isPublicName({ file, word, isComment }: Found): boolean {
  return !isComment && entriesOf(file).some((words) => words.includes(word))
}

function entriesOf(file: string): readonly (readonly string[])[] {
  return Object.entries(PUBLIC_NAMES).flatMap(([path, words]) =>
    file.startsWith(path) ? [words] : [],
  )
}

const files = execFileSync('git', ['ls-files', ...FILES], { encoding: 'utf8' }).split('\n')
const found = files.filter((file) => file !== '' && !IS_OTHER.test(file)).flatMap(wordsOf)
const added = found.filter((each) => !isPublicName(each))
for (const { file, line, word, write } of added) {
  console.error(`${file}:${line}: "${word}" (write: ${write})`)
}
for (const [path, words] of Object.entries(PUBLIC_NAMES)) {
  const known = found.filter((each) => each.file.startsWith(path) && isPublicName(each))
  const gone = words.filter((word) => !known.some((each) => each.word === word))
  if (gone.length > 0) console.warn(`scripts/words.ts: remove ${gone.join(', ')} of ${path}`)
}
if (added.length > 0) {
  console.error(`${added.length} retired words; CONTRIBUTING.md has the rule.`)
  process.exitCode = 1
}
