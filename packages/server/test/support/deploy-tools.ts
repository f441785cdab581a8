/** Programs that check and run the deployment files; `.ci/` installs them into `.cache/`. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const CACHE = join(import.meta.dirname, '../../../../.cache')
const TOOLS = join(CACHE, 'deploy-tools/bin')

/** Python with the schemas of Kubernetes and a parser of compose files; hadolint is beside it. */
export const PYTHON = join(TOOLS, 'python')
export const HADOLINT = join(TOOLS, 'hadolint')
export const KUBERNETES_VALIDATE = join(TOOLS, 'kubernetes-validate')

/** Why the checks cannot run here. */
export const checksMissing = existsSync(HADOLINT) ? undefined : 'run .ci/deploy-tools.sh'

const NODE24_PACKAGE = join(CACHE, `node24/node_modules/node-${process.platform}-${process.arch}`)
const isNode24 = process.versions.node.startsWith('24.')

/** The Node of the image: that of this process, or the one that `.ci/node24.sh` fetched. */
export const NODE24 = isNode24 ? process.execPath : join(NODE24_PACKAGE, 'bin/node')

/** Why the image's steps cannot run here. The image has the wget of busybox. */
export const stepsMissing = missingForSteps()

function missingForSteps(): string | undefined {
  if (!existsSync(NODE24)) return 'no Node 24: run .ci/node24.sh'
  const { status } = spawnSync('busybox', ['wget', '--help'], { stdio: 'ignore' })
  return status === 0 ? undefined : 'busybox with wget is not in PATH'
}
