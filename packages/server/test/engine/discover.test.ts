/** Discovery: the requirements for declaration files, and the reported faults. */

import { describe, expect, it } from 'vitest'
import { DiscoveryError, discover } from '../../src/engine/discover.ts'
import { loadCatalog, openProject } from '../../src/project.ts'
import { bankCatalog } from '../support/app.ts'
import { moduleOf, toolFile, writeCatalog } from './catalog.ts'

async function faultsOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const error = await discover(writeCatalog(files)).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(DiscoveryError)
  return (error as DiscoveryError).faults
}

const resource = (fields: string) =>
  moduleOf(`export default { name: 'a', uri: 'bank://a', read: async () => '', ${fields} }`)
const prompt = (fields: string) =>
  moduleOf(
    `export default { name: 'a', description: 'A.', arguments: z.object({}), render: () => '', ${fields} }`,
  )

describe('discovery', () => {
  it("finds the project's tools, resources and prompts, and adds the session tools", async () => {
    const { tools, resources, prompts } = await bankCatalog()
    expect([...tools.keys()]).toEqual(['login', 'logout', 'service', 'session'])
    expect(resources.map(({ name }) => name)).toEqual(['branches'])
    expect(prompts.map(({ name }) => name)).toEqual(['account-summary'])
  })

  it('refuses a folder that does not exist', async () => {
    await expect(discover('/not/there')).rejects.toThrow('/not/there: there is no such folder')
  })

  it('sorts by name, whatever the names of the files', async () => {
    const folder = writeCatalog({
      'tools/1.ts': toolFile({ name: "'zebra'" }),
      'tools/2.ts': toolFile({ name: "'Ant'" }),
      'tools/3.ts': toolFile({ name: "'bee'" }),
      'resources/1.ts': resource("name: 'z'"),
      'resources/2.ts': resource("name: 'b', uri: 'bank://b'"),
      'prompts/1.ts': prompt("name: 'z'"),
      'prompts/2.ts': prompt("name: 'b'"),
    })
    const { tools, resources, prompts } = await discover(folder)
    expect([...tools.keys()]).toEqual(['Ant', 'bee', 'zebra'])
    expect(resources.map(({ name }) => name)).toEqual(['b', 'z'])
    expect(prompts.map(({ name }) => name)).toEqual(['b', 'z'])
  })

  it('ignores tests, declarations and other files', async () => {
    const folder = writeCatalog({
      'tools/greet.ts': toolFile(),
      'tools/greet.test.ts': 'throw new Error()',
      'tools/greet.d.ts': 'export {}',
      'tools/notes.md': '# Notes',
    })
    const { tools, skipped } = await discover(folder)
    expect(tools.size).toBe(1)
    expect(skipped).toEqual([
      { file: 'tools/greet.d.ts', reason: 'types only' },
      { file: 'tools/greet.test.ts', reason: 'a test' },
      { file: 'tools/notes.md', reason: 'not code' },
    ])
  })

  it('searches subfolders, and loads every kind of module', async () => {
    const folder = writeCatalog({
      'tools/a.ts': toolFile({ name: "'a'" }),
      'tools/billing/b.mts': toolFile({ name: "'b'" }),
      'tools/billing/late/c.mjs': toolFile({ name: "'c'" }),
      'tools/d.js': toolFile({ name: "'d'" }),
      'resources/deep/r.ts': resource(''),
      'prompts/deep/p.ts': prompt(''),
    })
    const { tools, resources, prompts } = await discover(folder)
    expect([...tools.keys()]).toEqual(['a', 'b', 'c', 'd'])
    expect([resources.length, prompts.length]).toEqual([1, 1])
  })

  it('loads several declarations from one file', async () => {
    const tool = (name: string) =>
      `{ name: '${name}', description: 'A.', input: z.object({}), output: z.object({}), run: async () => ({}) }`
    const folder = writeCatalog({
      'tools/many.ts': moduleOf(`export default [${tool('one')}, ${tool('two')}]`),
    })
    expect([...(await discover(folder)).tools.keys()]).toEqual(['one', 'two'])
    const faults = await faultsOf({
      'tools/many.ts': moduleOf(
        `export default [${tool('a b')}, ${tool('one')}, ${tool('one')}, ${tool('c d')}]`,
      ),
      'tools/none.ts': 'export default []',
    })
    expect(faults[1]).toMatch(/\(in "c d"\)$/)
    expect(faults[0]).toMatch(/\(in "a b"\)$/)
    expect(faults.map((fault) => fault.slice(0, 40))).toEqual([
      expect.stringMatching(/^tools\/many\.ts: name must be/),
      expect.stringMatching(/^tools\/many\.ts: name must be/),
      'tools/none.ts: its default export declar',
      'tools/many.ts: "one" is already declared',
    ])
  })

  it('treats files and folders whose name begins with "_" as shared code', async () => {
    const folder = writeCatalog({
      'tools/_money.ts': 'throw new Error()',
      'tools/_shared/rates.ts': 'throw new Error()',
      'tools/deep/_x/y.ts': 'throw new Error()',
      'resources/_places.ts': 'throw new Error()',
    })
    const { tools, skipped } = await discover(folder)
    expect(tools.size).toBe(0)
    expect(skipped.map(({ file, reason }) => `${file}: ${reason}`)).toEqual([
      'tools/_money.ts: shared code',
      'tools/_shared/rates.ts: shared code',
      'tools/deep/_x/y.ts: shared code',
      'resources/_places.ts: shared code',
    ])
  })

  it('names the framework if a tool has the name of a built-in one', async () => {
    const folder = writeCatalog({
      'server.mjs': "export default { name: 'own' }",
      'tools/in.ts': toolFile({ name: "'login'" }),
    })
    await expect(loadCatalog(await openProject(folder))).rejects.toThrow(
      'tools/in.ts: "login" is already declared in the framework (sessionTools of src/server.ts)',
    )
  })

  it('has no session tools if the server declares that it has none', async () => {
    const folder = writeCatalog({
      'server.mjs': "export default { name: 'own', sessionTools: false }",
      'tools/in.ts': toolFile({ name: "'login'" }),
    })
    expect([...(await loadCatalog(await openProject(folder))).tools.keys()]).toEqual(['login'])
  })

  it('requires none of the folders', async () => {
    const { tools, resources, prompts } = await discover(writeCatalog({}))
    expect([tools.size, resources.length, prompts.length]).toEqual([0, 0, 0])
  })

  it('reports every fault of every file together, by folder and file', async () => {
    const faults = await faultsOf({
      'tools/broken.ts': 'export default {',
      'tools/empty.ts': 'export const nothing = 1',
      'tools/good.ts': toolFile(),
      'tools/open.ts': toolFile({ output: 'z.object({ any: z.any() })' }),
      'resources/bad.ts': resource("uri: 'relative'"),
      'prompts/bad.ts': prompt("name: ''"),
    })
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'tools/broken.ts',
      'tools/empty.ts',
      'tools/open.ts',
      'resources/bad.ts',
      'prompts/bad.ts',
    ])
  })

  it('lists all faults in its message', async () => {
    const folder = writeCatalog({ 'tools/a.ts': '', 'tools/b.ts': '' })
    await expect(discover(folder)).rejects.toThrow(
      'Cannot load:\n  - tools/a.ts: has no default export; if it is code that others share, let its name begin with "_"\n  - tools/b.ts: has no default export',
    )
  })
})

describe('a tool is refused', () => {
  it.each([
    ['with an empty name', { name: "''" }, 'name must be'],
    ['with a space in its name', { name: "'a b'" }, 'name must be'],
    ['with a slash in its name', { name: "'a/b'" }, 'name must be'],
    ['with a name of other letters', { name: "'grüße'" }, 'name must be'],
    ['with a name of 129 letters', { name: "'x'.repeat(129)" }, 'name must be'],
    ['without a description', { description: "''" }, 'description is missing'],
    ['without a run', { run: 'undefined' }, 'run is missing'],
    ['with an input that is not an object', { input: 'z.string()' }, 'input must be'],
    ['with an output that is not a schema', { output: "{ type: 'object' }" }, 'output must be'],
    ['with a session argument', { input: 'z.object({ session: z.string() })' }, '"session"'],
  ])('%s', async (_what, fields, fault) => {
    expect(await faultsOf({ 'tools/a.ts': toolFile(fields) })).toEqual([
      expect.stringMatching(new RegExp(`^tools/a\\.ts: .*${fault}`)),
    ])
  })

  it('whose name is taken', async () => {
    const faults = await faultsOf({
      'tools/a.ts': toolFile(),
      'tools/b.ts': toolFile(),
      'tools/c.ts': toolFile({ name: "'Greet'" }),
    })
    expect(faults).toEqual(['tools/b.ts: "greet" is already declared in tools/a.ts'])
  })

  it.each(['undefined', 'null', '42', "'greet'", '() => ({})'])('that is %s', async (value) => {
    const faults = await faultsOf({ 'tools/a.ts': `export default ${value}` })
    expect(faults).toEqual([expect.stringMatching(/^tools\/a\.ts: .*default export/)])
  })

  it('whose file throws', async () => {
    const faults = await faultsOf({ 'tools/a.ts': "throw new Error('no such thing')" })
    expect(faults).toEqual(['tools/a.ts: no such thing'])
  })
})

describe('a resource or prompt is refused', () => {
  it.each([
    ['without a name', { 'resources/a.ts': resource("name: ''") }, 'name is missing'],
    ['with a relative URI', { 'resources/a.ts': resource("uri: 'a/b'") }, 'uri must be absolute'],
    ['without read', { 'resources/a.ts': resource('read: undefined') }, 'read is missing'],
    ['without a name', { 'prompts/a.ts': prompt('name: undefined') }, 'name is missing'],
    ['without a description', { 'prompts/a.ts': prompt('description: 1') }, 'description is'],
    ['without arguments', { 'prompts/a.ts': prompt('arguments: undefined') }, 'arguments must be'],
    ['without render', { 'prompts/a.ts': prompt('render: undefined') }, 'render is missing'],
  ])('%s', async (_what, files, fault) => {
    expect(await faultsOf(files)).toEqual([expect.stringContaining(fault)])
  })

  it('whose name or URI is taken', async () => {
    const faults = await faultsOf({
      'resources/a.ts': resource(''),
      'resources/b.ts': resource("uri: 'bank://b'"),
      'resources/c.ts': resource("name: 'c'"),
      'prompts/a.ts': prompt(''),
      'prompts/b.ts': prompt(''),
    })
    expect(faults).toEqual([
      'resources/b.ts: "a" is already declared in resources/a.ts',
      'resources/c.ts: "bank://a" is already declared in resources/a.ts',
      'prompts/b.ts: "a" is already declared in prompts/a.ts',
    ])
  })
})
