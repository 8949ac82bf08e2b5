import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { execa } from 'execa'
import { type Command, type Kernel, NOT_EXECUTABLE, NOT_FOUND, type Outcome, TIMED_OUT } from '#system/ports.ts'
import { Deadline } from './deadline.ts'

// A Command → the real program → its Outcome. Never through a shell, never without a time limit, never by an exception.

export interface HostKernelOptions {
  /** How long a command may take that does not say so itself. */
  readonly limitMs?: number
  /** How long a program may take to end after SIGTERM before SIGKILL comes. */
  readonly graceMs?: number
  /** Where programs are looked for; our own PATH where absent. */
  readonly path?: string
}

export interface HostKernel extends Kernel {
  /** Resolves when no command is running: on SIGTERM, the one that is half way through should be let finish. */
  idle(): Promise<void>
}

/** Commands run side by side as they are called; whoever needs an order waits for the outcome. */
export function hostKernel({ limitMs = 60_000, graceMs = 2000, path }: HostKernelOptions = {}): HostKernel {
  const running = new Set<Promise<Outcome>>()
  const clean = { PATH: path ?? process.env.PATH ?? SYSTEM_PATH, LC_ALL: 'C' }
  return {
    run(command) {
      const child = start(command, { ...clean, ...command.env })
      const limits = { name: command.argv[0], graceMs, limitMs: command.timeoutMs ?? limitMs }
      const outcome = follow(child, limits).finally(() => running.delete(outcome))
      running.add(outcome)
      return outcome
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Beyond this, execa's copies of the input cost more memory than the whole rest of the program. */
const LARGE = 10_000_000
/** A tool that refuses a document of a million lines may repeat them all; the first say what is wrong. */
const STDERR_KEPT = 65_536
/** Close to the longest string there is; an iptables-save of 10,000 services is 80 MB. */
const STDOUT_KEPT = 400_000_000

interface Running {
  readonly pid: number | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  readonly ended: Promise<Ending>
}

interface Ending {
  readonly exitCode?: number | undefined
  readonly signal?: NodeJS.Signals | undefined
  /** Why it could not be started. */
  readonly error?: NodeJS.ErrnoException | undefined
}

type Environment = Readonly<Record<string, string>>

function start(command: Command, env: Environment): Running {
  try {
    return (command.input?.length ?? 0) > LARGE ? startWithBuffer(command, env) : startWithExeca(command, env)
  } catch (error) {
    // Words that no program can be given, such as one with a zero byte.
    const ended = Promise.resolve({ error: error as Error })
    return { pid: undefined, stdout: Readable.from([]), stderr: Readable.from([]), ended }
  }
}

function startWithExeca({ argv: [program, ...words], input }: Command, env: Environment): Running {
  const child = execa(program, words, {
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    env: { ...env },
    extendEnv: false,
    buffer: false,
    reject: false,
    // A group of its own, so that a time limit reaches what the program started too.
    detached: true,
    cleanup: false,
  })
  const ended = child.then(({ exitCode, signal, cause }) => {
    const error = exitCode === undefined && signal === undefined ? (cause as NodeJS.ErrnoException) : undefined
    return { exitCode, signal, error }
  })
  return { pid: child.pid, stdout: child.stdout, stderr: child.stderr, ended }
}

function startWithBuffer({ argv: [program, ...words], input }: Command, env: Environment): Running {
  const child = spawn(program, words, { env, detached: true, stdio: 'pipe' })
  // EPIPE: it ended without reading everything. Its exit status says whether that was meant.
  child.stdin.on('error', () => {})
  child.stdin.end(Buffer.from(input!))
  const ended = once(child, 'exit').then(
    ([exitCode, signal]): Ending => ({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }),
    (error: NodeJS.ErrnoException): Ending => ({ error }),
  )
  return { pid: child.pid, stdout: child.stdout, stderr: child.stderr, ended }
}

interface Following {
  readonly name: string
  readonly limitMs: number
  readonly graceMs: number
}

async function follow(child: Running, { name, limitMs, graceMs }: Following): Promise<Outcome> {
  if (child.pid === undefined) return notStarted(name, (await child.ended).error)
  const deadline = new Deadline({ group: child.pid, limitMs, graceMs })
  const stdout = new Gathered(child.stdout, STDOUT_KEPT)
  const stderr = new Gathered(child.stderr, STDERR_KEPT)
  const finished = Promise.all([child.ended, stdout.ended, stderr.ended]).then(([ending]) => ending)
  const ending = await Promise.race([finished, deadline.waitedEnough])
  deadline.lift()
  child.stdout.destroy()
  child.stderr.destroy()
  const said = { stdout: stdout.text, stderr: stderr.text }
  if (deadline.passed || ending === undefined)
    return timeLimit(said, `${name}: ended after ${limitMs / 1000} s: time limit`)
  return { code: exitStatus(ending), ...said }
}

function notStarted(name: string, error: NodeJS.ErrnoException | undefined): Outcome {
  if (error?.code === 'ENOENT') return { code: NOT_FOUND, stdout: '', stderr: `${name}: not found in PATH` }
  if (error?.code === 'EACCES')
    return { code: NOT_EXECUTABLE, stdout: '', stderr: `${name}: may not be executed (permission denied)` }
  return { code: NOT_EXECUTABLE, stdout: '', stderr: `${name}: could not be started: ${error?.message ?? 'no reason was given'}` }
}

function timeLimit({ stdout, stderr }: Omit<Outcome, 'code'>, sentence: string): Outcome {
  return { code: TIMED_OUT, stdout, stderr: stderr === '' ? sentence : `${stderr.trimEnd()}\n${sentence}` }
}

/** As a shell says it: 128 and the signal's number where a signal ended it. */
function exitStatus({ exitCode, signal }: Ending): number {
  return exitCode ?? 128 + (signal === undefined ? 0 : constants.signals[signal])
}

/** What a stream says, up to a limit; the rest is read and dropped, so that nobody is stopped half way by a full pipe. */
class Gathered {
  #text = ''
  #dropped = 0
  readonly ended: Promise<void>

  constructor(stream: Readable, limit: number) {
    this.ended = new Promise(resolve => stream.once('close', resolve))
    stream.on('error', () => {})
    stream.setEncoding('utf8').on('data', (text: string) => {
      const kept = text.slice(0, limit - this.#text.length)
      this.#text += kept
      this.#dropped += text.length - kept.length
    })
  }

  get text(): string {
    return this.#dropped === 0 ? this.#text : `${this.#text}\n(${this.#dropped} more characters)`
  }
}
