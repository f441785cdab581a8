/**
 * Executes the Dockerfile without an engine: each stage is a folder, in which its commands run
 * with the Node of the image. Commands that need the base image are left out.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import dockerignore from '@balena/dockerignore'
import { ROOT } from '../docs/markdown.ts'
import type { ImageFile, Stage, Step } from './dockerfile.ts'

export interface BuiltStage {
  /** The folder that stands for `/` in the container. */
  readonly root: string
}

/** Commands that change the base image; only a real build runs them. */
const OF_THE_BASE_IMAGE = /^rm -rf (?:\/(?:usr\/local|opt)\/\S+ ?)+$/
/** Commands that stay in the folder they run in. */
const OF_OUR_OWN =
  /^(?:npm (?:ci|run) |rm -f node_modules\/|find (?:node_modules|packages\/server\/dist) )/

/** The files of a clean clone, after a commit of all changes. */
const LIST = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']

/** The files that are part of the build context. */
export function inContext(files: readonly string[]): string[] {
  const text = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  return dockerignore
    .default()
    .add(text)
    .filter([...files])
}

/** Links programs into a folder, which becomes PATH. */
export function linkPrograms(folder: string, programs: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, program] of Object.entries(programs)) {
    symlinkSync(realpathSync(program), join(folder, name))
  }
  return folder
}

/** Builds all stages below `folder`, with `path` first in PATH; returns the last one. */
export function build(image: ImageFile, folder: string, path: string): BuiltStage {
  const context = join(folder, 'context')
  const checkedIn = execFileSync('git', LIST, { cwd: ROOT, encoding: 'utf8' })
  for (const file of inContext(checkedIn.split('\0').filter((name) => name !== ''))) {
    mkdirSync(dirname(join(context, file)), { recursive: true })
    cpSync(join(ROOT, file), join(context, file))
  }
  const built = new Map<string, BuiltStage>()
  let last: BuiltStage = { root: context }
  for (const stage of image.stages) {
    last = buildStage(stage, join(folder, `stage-${built.size}`), { context, built, path })
    built.set(stage.name, last)
  }
  return last
}

interface Surroundings {
  readonly context: string
  readonly built: ReadonlyMap<string, BuiltStage>
  readonly path: string
}

function buildStage(stage: Stage, root: string, around: Surroundings): BuiltStage {
  let workdir = root
  for (const step of stage.steps) {
    if (step.kind === 'workdir') {
      workdir = join(root, step.path)
      mkdirSync(workdir, { recursive: true })
    } else if (step.kind === 'copy') {
      copy(step, workdir, around)
    } else {
      run(step.command, workdir, around.path)
    }
  }
  return { root }
}

/** COPY, for sources without patterns: a file goes into a folder, a folder's content becomes it. */
function copy(
  { sources, target, from }: Extract<Step, { kind: 'copy' }>,
  workdir: string,
  { context, built }: Surroundings,
): void {
  const root = from === undefined ? context : built.get(from)?.root
  if (root === undefined) throw new Error(`COPY from a stage that is not there: ${from}`)
  for (const source of sources) {
    const to = target.endsWith('/')
      ? join(workdir, target, basename(source))
      : join(workdir, target)
    cpSync(join(root, source), to, { recursive: true, verbatimSymlinks: true })
  }
}

function run(command: string, cwd: string, path: string): void {
  if (OF_THE_BASE_IMAGE.test(command)) return
  const unknown = command.split('&&').find((part) => !OF_OUR_OWN.test(part.trim()))
  if (unknown !== undefined) throw new Error(`RUN of something unknown, not run: ${unknown}`)
  execFileSync('sh', ['-c', command], { cwd, env: buildEnvironment(path), stdio: 'pipe' })
}

/** npm's own settings, such as its registry and cache; nothing of this test. */
function buildEnvironment(path: string): NodeJS.ProcessEnv {
  const { NODE_ENV, npm_config_local_prefix, ...env } = process.env
  return { ...env, PATH: `${path}:${env.PATH}`, npm_config_prefer_offline: 'true' }
}
