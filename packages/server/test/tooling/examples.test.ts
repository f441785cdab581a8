/** Examples are projects like those of teams: they import published entry points, and their pages are correct. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, '../../../../examples')
const PUBLIC = ['', '/testing', '/store'].map((entry) => `@mcp-template/server${entry}`)

describe.each(readdirSync(folder))('the example %s', (name) => {
  const project = join(folder, name)
  const files = readdirSync(project, { recursive: true, encoding: 'utf8' }).filter(
    (file) => !file.includes('node_modules'),
  )
  const page = readFileSync(join(project, 'README.md'), 'utf8')

  it('imports its own files and public entry points only', () => {
    const importing = files
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const text = readFileSync(join(project, file), 'utf8')
        const targets = [...text.matchAll(/(?:from|import)[ (]+'([^'\n]+)'/g)].map(([, to]) => to)
        return targets.map((target = '') => ({ file, target }))
      })
    const isRefused = ({ file, target }: { readonly file: string; readonly target: string }) =>
      target.startsWith('.')
        ? !resolve(project, dirname(file), target).startsWith(`${project}/`)
        : target.startsWith('@mcp-template/') && !PUBLIC.includes(target)
    expect(importing.length).toBeGreaterThan(0)
    expect(importing.filter(isRefused)).toEqual([])
  })

  it('has a page that names each tool, and links to existing files', () => {
    const links = [...page.matchAll(/\]\(([^()\s:#]+)\)/g)].map(([, target = '']) => target)
    expect(links.filter((target) => !existsSync(join(project, target)))).toEqual([])
    const tools = files.filter((file) => /^src\/tools\/[\w/-]+(?<!\.test)\.ts$/.test(file))
    expect(links).toEqual(expect.arrayContaining(tools))
  })
})
