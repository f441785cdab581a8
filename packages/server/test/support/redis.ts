/** Real, private Redis servers for tests: each with its own port and directory, removed at the end. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect as openSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { findRedis, type RedisKind, redisMajor } from './redis-binaries.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** All data servers: itself, or those of a topology that is treated as one server. */
  readonly servers: readonly Pick<RedisServer, 'url'>[]
  /** Stops the server and removes its directory. */
  stop(): Promise<void>
  /** SIGKILL: closes sockets; the port refuses connections. */
  kill(): Promise<void>
  /** SIGSTOP: sockets stay open without replies. */
  pause(): void
  resume(): void
  /** Starts a killed server again, on the same port and with its data. */
  restart(): Promise<void>
}

export type RedisAvailability = Readonly<Record<RedisKind, true | string>>

/** For each kind true, or why it is unavailable. Starts each once to test it. */
export async function redisAvailability(): Promise<RedisAvailability> {
  const [plain, json] = await Promise.all([tryKind('plain'), tryKind('json')])
  return { plain, json }
}

async function tryKind(kind: RedisKind): Promise<true | string> {
  try {
    const server = await startRedis(kind)
    await server.stop()
    return true
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** @throws Error with the reason when there is no such server, or it lacks what its kind promises */
export async function startRedis(
  kind: RedisKind,
  extraArgs: readonly string[] = [],
): Promise<RedisServer> {
  const found = findRedis(kind)
  if ('missing' in found) throw new Error(found.missing)
  const directory = await mkdtemp(join(tmpdir(), 'redis-test-'))
  const port = await freePort()
  const file = join(directory, 'redis.conf')
  const args = [...extraArgs, ...(await busPortFor(extraArgs))]
  const options = [...serverOptions(port, directory), ...found.args, ...args]
  await writeFile(file, asConfiguration(options))
  const command = [found.program, file]
  let running = await launch(command)

  const url = `redis://127.0.0.1:${port}`
  const server: RedisServer = {
    url,
    port,
    servers: [{ url }],
    async stop() {
      await running.kill()
      await rm(directory, { recursive: true, force: true })
    },
    kill: () => running.kill(),
    pause: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
    async restart() {
      running = await launch(command)
      await untilAnswers(port, running.ended)
    },
  }

  try {
    await untilAnswers(port, running.ended)
    const hasJson = (await sendInline(port, 'COMMAND INFO JSON.SET')).includes('json.set')
    if (kind === 'json' && !hasJson) throw new Error('the server has no JSON.SET')
    return server
  } catch (error) {
    const log = await readFile(join(directory, 'log'), 'utf8').catch(() => '')
    await server.stop()
    throw new Error(`redis (${kind}) did not start: ${error}\n${log.slice(-500)}`)
  }
}

/**
 * A reserved port for the cluster bus: by default it is the port plus 10,000, which an outgoing
 * connection may have. Redis 6.2 has no such option.
 */
async function busPortFor(args: readonly string[]): Promise<readonly string[]> {
  const isChosen = !args.includes('--cluster-enabled') || args.includes('--cluster-port')
  return isChosen || redisMajor() < 7 ? [] : ['--cluster-port', String(await freePort())]
}

function serverOptions(port: number, directory: string): readonly string[] {
  const options = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    logfile: 'log',
    appendonly: 'yes',
    // Tests kill processes, not machines: what is written survives, and nothing waits for the disk.
    appendfsync: 'no',
    save: '',
  }
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`])
}

/**
 * Arguments as lines of a file, where Sentinels save the role of a server: restarted by arguments only,
 * a replica that was promoted would be a replica again.
 */
function asConfiguration(args: readonly string[]): string {
  const quoted = args.map((arg) =>
    arg.startsWith('--') ? `\n${arg.slice(2)}` : JSON.stringify(arg),
  )
  return `${quoted.join(' ')}\n`
}

export interface Launched {
  /** Aborted when the server has exited. */
  readonly ended: AbortSignal
  signal(name: NodeJS.Signals): void
  kill(): Promise<void>
}

/**
 * The reader waits for the end of its input, which arrives even if this process is killed, and then
 * kills the server; the shell ends with the server. So no server is ever left behind.
 */
const SHELL = `
exec 3<&0
"$@" >/dev/null 2>&1 & server=$!
{ read -r _; kill -9 $server; } <&3 >/dev/null 2>&1 & reader=$!
echo $server
wait $server
kill $reader 2>/dev/null
`

export async function launch(command: readonly string[]): Promise<Launched> {
  const shell = spawn('sh', ['-c', SHELL, 'sh', ...command], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A separate process group: Ctrl-C must not stop it before its users.
    detached: true,
  })
  const gone = new AbortController()
  shell.once('exit', () => gone.abort())
  const [line] = await once(shell.stdout, 'data')
  const pid = Number(String(line))

  return {
    ended: gone.signal,
    signal: (name) => process.kill(pid, name),
    async kill() {
      shell.stdin.end()
      while (!gone.signal.aborted) await sleep(5)
    },
  }
}

export async function untilAnswers(port: number, ended: AbortSignal): Promise<void> {
  const giveUpAt = Date.now() + 30_000
  while (Date.now() < giveUpAt && !ended.aborted) {
    if ((await sendInline(port, 'PING')).startsWith('+PONG')) return
    await sleep(20)
  }
  throw new Error('no answer')
}

/** Sends one inline command and returns the beginning of the reply, or nothing. */
async function sendInline(port: number, command: string): Promise<string> {
  const socket = openSocket(port, '127.0.0.1')
  socket.setTimeout(1000, () => socket.destroy())
  socket.write(`${command}\r\n`)
  try {
    for await (const chunk of socket) return String(chunk)
    return ''
  } catch {
    return ''
  } finally {
    socket.destroy()
  }
}
