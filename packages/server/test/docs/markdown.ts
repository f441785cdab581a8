/** Parses the repository's documents: code blocks, links, and paths. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../../..')

export interface CodeBlock {
  /** Its position, such as `README.md:12`: that of its first line. */
  readonly place: string
  readonly language: string
  readonly code: string
}

export interface Document {
  /** Relative to the root of the repository. */
  readonly file: string
  readonly text: string
  /** The text without code blocks. */
  readonly prose: string
  readonly blocks: readonly CodeBlock[]
}

/** Every markdown file at the root and below `docs/`. */
export function readDocuments(): Document[] {
  const atRoot = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  const below = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name))
  return [...atRoot, ...below].sort().map((file) => parse(file))
}

function parse(file: string): Document {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const blocks = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    place: `${file}:${text.slice(0, match.index).split('\n').length + 1}`,
    language: match[1] ?? '',
    code: match[2] ?? '',
  }))
  return { file, text, prose: text.replaceAll(/^```[\s\S]*?^```$/gm, ''), blocks }
}

/** The file that the first line of a code block names: `// src/tools/balance.ts`. */
export function fileOf({ code }: CodeBlock): string | undefined {
  return /^\/\/ ((?:packages\/server\/test|src)\/[\w./-]+\.ts)\n/.exec(code)?.[1]
}

/** The targets of a document's links and images. */
export function linksOf({ prose }: Document): string[] {
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] ?? '')
}

/** The anchors of a document's headings, spelled as code hosts do. */
export function anchorsOf({ prose }: Pick<Document, 'prose'>): string[] {
  return [...prose.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Paths of this repository in `code` spans of the prose; NAME is a placeholder. */
export function pathsOf({ prose }: Document): string[] {
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
  return spans.filter((span) =>
    /^(?:src|packages|starter|scripts|docs|\.ci)\/(?!.*NAME)[\w./-]*$/.test(span),
  )
}

/** The text under a heading, up to the next one of the same or a higher level. */
export function sectionOf({ text }: Document, heading: string): string {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading)
  if (start < 0) throw new Error(`There is no section "${heading}"`)
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 0
  const isEnd = (line: string) => (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= level
  const length = lines.slice(start + 1).findIndex(isEnd)
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n')
}
