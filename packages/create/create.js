// Creates a project: copies the template, names it, installs its packages.

import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const USAGE = `npm create mcp-template DIRECTORY [-- OPTIONS]

  --name NAME       name of the package and the server; by default that of the directory
  --no-install      do not install packages
  --dry-run         check the arguments and write nothing
  --server FILE     use this tarball of @mcp-template/server instead of the published one`

const TEMPLATE = join(import.meta.dirname, 'template')

/** Legal as the name of a package and of a server. */
const NAME = /^(?=.{1,64}$)[a-z\d]+(?:[._-]+[a-z\d]+)*$/

/** Names that npm refuses. */
const RESERVED = new Set(['node_modules', 'favicon.ico'])

/** Bad input or a folder that cannot be written; the message says what to do instead. */
class CreateError extends Error {}

/** Ends the process with 1 and one message where no project can be created. */
export function create(args) {
  try {
    const options = readOptions(args)
    if (options === undefined) return console.log(USAGE)
    if (options.dryRun) return
    writeProject(options)
    const isInstalled = options.install ? install(options.folder) : true
    console.log(nextSteps(options, isInstalled))
  } catch (error) {
    if (!(error instanceof CreateError) && error.syscall === undefined) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

/** Checks everything before anything is written; undefined where help was asked for. */
function readOptions(args) {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  if (positionals.length !== 1 || positionals[0] === '') {
    throw new CreateError(`Name one directory for the project.\n\n${USAGE}`)
  }
  const folder = resolve(positionals[0])
  const name = values.name ?? basename(folder)
  if (!NAME.test(name) || RESERVED.has(name)) {
    throw new CreateError(
      `"${name}" cannot be the name of a package. Use up to 64 lower-case letters and digits, with ".", "-" or "_" in between${values.name === undefined ? ', or add: --name NAME' : ''}.`,
    )
  }
  const state = fs.statSync(folder, { throwIfNoEntry: false })
  if (state !== undefined && !(state.isDirectory() && isEmpty(folder))) {
    throw new CreateError(
      `${folder} exists${state.isDirectory() ? ' and is not empty' : ' and is not a directory'}. Choose another directory.`,
    )
  }
  const server = values.server && resolve(values.server)
  if (server !== undefined && !fs.existsSync(server)) {
    throw new CreateError(`There is no ${server}.`)
  }
  const [install, dryRun] = [!values['no-install'], values['dry-run'] === true]
  return { folder, name, server, install, dryRun, existed: state !== undefined }
}

function parse(args) {
  const text = { type: 'string' }
  const flag = { type: 'boolean' }
  const flags = { 'no-install': flag, 'dry-run': flag, help: { ...flag, short: 'h' } }
  const options = { name: text, server: text, ...flags }
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    throw new CreateError(`${error.message}\n\n${USAGE}`)
  }
}

/** A repository without a commit counts as empty. */
function isEmpty(folder) {
  return fs.readdirSync(folder).every((name) => name === '.git')
}

/** Writes all files or none. */
function writeProject({ folder, name, server, existed }) {
  try {
    // npm leaves out .gitignore and the like, so the template has "_" for "." at their beginning.
    for (const file of fs.readdirSync(TEMPLATE)) {
      const to = join(folder, file.replace(/^_/, '.'))
      fs.cpSync(join(TEMPLATE, file), to, { recursive: true })
    }
    nameProject(folder, name)
    if (server !== undefined) useTarball(folder, server)
  } catch (error) {
    for (const file of existed ? fs.readdirSync(folder) : []) {
      if (file !== '.git') fs.rmSync(join(folder, file), { recursive: true, force: true })
    }
    if (!existed) fs.rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function nameProject(folder, name) {
  const words = name.replaceAll(/[._-]+/g, ' ')
  const title = words.replaceAll(/(?<=^| )[a-z]/g, (letter) => letter.toUpperCase())
  edit(join(folder, 'package.json'), (text) => text.replace(/"name": "[^"]*"/, `"name": "${name}"`))
  for (const file of ['src/server.ts', 'README.md']) {
    edit(join(folder, file), (text) =>
      text.replaceAll("'mcp-template'", `'${name}'`).replaceAll('MCP Template', title),
    )
  }
}

/** Takes the framework from a tarball, which the project keeps, so that `npm ci` finds it. */
function useTarball(folder, server) {
  const file = `vendor/${basename(server)}`
  fs.mkdirSync(join(folder, 'vendor'))
  fs.copyFileSync(server, join(folder, file))
  edit(join(folder, 'package.json'), (text) =>
    text.replace(/("@mcp-template\/server": )"[^"]*"/, `$1"file:${file}"`),
  )
  edit(join(folder, '.dockerignore'), (text) => `${text}!vendor\n`)
  edit(join(folder, 'Dockerfile'), (text) =>
    text.replace(/^COPY package.json .*\n/m, '$&COPY vendor ./vendor\n'),
  )
}

function edit(file, change) {
  fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')))
}

/** Whether all packages are there. What npm left half done is removed. */
function install(folder) {
  console.log('Installing packages …')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=1']
  const { status, stderr, error } = spawnSync('npm', [...args, '--fetch-retry-mintimeout=2000'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status === 0) return true
  for (const file of ['node_modules', 'package-lock.json']) {
    fs.rmSync(join(folder, file), { recursive: true, force: true })
  }
  const said = (error?.message ?? stderr).split('\n').filter((line) => line.trim() !== '')
  console.error(said.slice(0, 3).join('\n'))
  return false
}

function nextSteps({ folder, name, install }, isInstalled) {
  const near = relative(process.cwd(), folder)
  const cd = near.startsWith('..') ? folder : near
  const steps = [cd === '' ? [] : `cd ${cd}`, install && isInstalled ? [] : 'npm install']
  const list = [...steps.flat(), 'npm run dev'].map((step) => `  ${step}`).join('\n')
  if (isInstalled) return `Created ${name} in ${folder}. Next:\n\n${list}`
  process.exitCode = 1
  return `Created ${name} in ${folder}, but its packages could not be installed: npm needs a network, or a registry that it reaches. The files are complete. Later:\n\n${list}`
}
