/** Parses the repository's Dockerfile: its stages, and the properties of its image. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Copy, DockerfileParser, type Env, type From, type Instruction } from 'dockerfile-ast'
import { ROOT } from '../docs/markdown.ts'

export type Step =
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'workdir'; readonly path: string }
  | {
      readonly kind: 'copy'
      readonly sources: readonly string[]
      readonly target: string
      /** The stage it comes from; the context of the build if left out. */
      readonly from: string | undefined
    }

export interface Stage {
  readonly name: string
  readonly base: string
  readonly steps: readonly Step[]
}

export interface ImageFile {
  readonly stages: readonly Stage[]
  /** The last one, of which the image is made. */
  readonly final: Stage
  readonly environment: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly user: string
  readonly workdir: string
  readonly stopSignal: string
  readonly command: readonly string[]
  readonly healthCheck: readonly string[]
}

/** @throws Error for an unknown instruction, which would not be tested */
export function readDockerfile(): ImageFile {
  const { stages, facts } = divide(parse())
  const final = stages.at(-1) ?? fail('no stage')
  const one = (keyword: string) => facts.get(keyword)?.getArgumentsContent() ?? ''
  return {
    stages,
    final,
    environment: properties(facts.get('ENV')),
    labels: properties(facts.get('LABEL')),
    user: one('USER'),
    workdir: final.steps.flatMap((step) => (step.kind === 'workdir' ? step.path : [])).at(-1) ?? '',
    stopSignal: one('STOPSIGNAL'),
    command: JSON.parse(one('CMD')),
    healthCheck: JSON.parse(one('HEALTHCHECK').replace(/^CMD /, '')),
  }
}

function parse(): readonly Instruction[] {
  return DockerfileParser.parse(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).getInstructions()
}

/** Properties of an image, at most once a stage; those of the last stage apply. */
const FACTS = new Set(['ARG', 'CMD', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL', 'STOPSIGNAL', 'USER'])

function divide(instructions: readonly Instruction[]) {
  const stages: { name: string; base: string; steps: Step[] }[] = []
  let facts = new Map<string, Instruction>()
  for (const instruction of instructions) {
    const keyword = instruction.getKeyword()
    if (keyword === 'FROM') {
      const from = instruction as From
      stages.push({ name: from.getBuildStage() ?? '', base: from.getImage() ?? '', steps: [] })
      facts = new Map()
    } else if (FACTS.has(keyword)) {
      if (facts.has(keyword)) fail(`${keyword} twice in a stage`)
      facts.set(keyword, instruction)
    } else {
      stages.at(-1)?.steps.push(stepOf(instruction))
    }
  }
  return { stages, facts }
}

function stepOf(instruction: Instruction): Step {
  const content = instruction.getArgumentsContent() ?? ''
  const keyword = instruction.getKeyword()
  if (keyword === 'RUN') return { kind: 'run', command: content }
  if (keyword === 'WORKDIR') return { kind: 'workdir', path: content }
  if (keyword !== 'COPY') return fail(`an instruction that is not known here: ${keyword}`)
  const sources = instruction.getArguments().map((argument) => argument.getValue())
  const from = (instruction as Copy).getFromFlag()?.getValue() ?? undefined
  return { kind: 'copy', sources, target: sources.pop() ?? '', from }
}

function properties(instruction: Instruction | undefined): Record<string, string> {
  const found = (instruction as Env | undefined)?.getProperties() ?? []
  return Object.fromEntries(found.map((each) => [each.getName(), each.getValue() ?? '']))
}

function fail(why: string): never {
  throw new Error(`Dockerfile: ${why}`)
}
