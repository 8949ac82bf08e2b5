import type { Readable } from 'node:stream'
import { type Command, type Kernel, NOT_EXECUTABLE, NOT_FOUND, type Outcome, TIMED_OUT } from '#system/ports.ts'
import { Deadline } from './deadline.ts'
import { feed } from './feed.ts'
import { exitStatus, type Process, startProcess } from './start-process.ts'

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
  /** Resolves when no command is running: on SIGTERM, the one that is half way through should finish. */
  idle(): Promise<void>
}

/** Commands run side by side as they are called, but for those to run alone; a caller that needs an order waits for the outcome. */
export function hostKernel({ limitMs = 60_000, graceMs = 2000, path }: HostKernelOptions = {}): HostKernel {
  const running = new Set<Promise<Outcome>>()
  const turns = new Map<string, Promise<unknown>>()
  const clean = { PATH: path ?? process.env.PATH ?? SYSTEM_PATH, LC_ALL: 'C' }
  return {
    run(command) {
      const begin = (): Promise<Outcome> => {
        const started = start(command, { ...clean, ...command.env })
        return outcomeOf(started, { name: command.argv[0], graceMs, limitMs: command.timeoutMs ?? limitMs })
      }
      const { alone } = command
      const before = alone === undefined ? undefined : turns.get(alone)
      const outcome = (before === undefined ? begin() : before.then(begin)).finally(() => running.delete(outcome))
      // Only that it has ended: an answer can be large, and the next turn may never come.
      if (alone !== undefined)
        turns.set(
          alone,
          outcome.then(() => {}),
        )
      running.add(outcome)
      return outcome
    },
    async idle() {
      while (running.size > 0) await Promise.all(running)
    },
  }
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A tool that refuses a document of a million lines may repeat them all; the first say what is wrong. */
const STDERR_KEPT = 65_536
/** Close to the longest string there is; an iptables-save of 10,000 services is 80 MB. */
const STDOUT_KEPT = 400_000_000

/** A program that ends without reading all of its input says by its exit status whether that was meant. */
function start({ argv, input }: Command, env: Readonly<Record<string, string>>): Process {
  const started = startProcess({ argv, env, stdin: input === undefined ? 'none' : 'pipe' })
  if (input !== undefined && started.stdin !== null) void feed(started.stdin, input)
  return started
}

interface RunLimits {
  readonly name: string
  readonly limitMs: number
  readonly graceMs: number
}

async function outcomeOf(started: Process, { name, limitMs, graceMs }: RunLimits): Promise<Outcome> {
  if (started.pid === undefined) return notStarted(name, (await started.ended).error)
  const deadline = new Deadline({ group: started.pid, limitMs, graceMs })
  const stdout = new Gathered(started.stdout, STDOUT_KEPT)
  const stderr = new Gathered(started.stderr, STDERR_KEPT)
  const finished = Promise.all([started.ended, stdout.ended, stderr.ended]).then(([end]) => end)
  const end = await Promise.race([finished, deadline.waitedEnough])
  deadline.lift()
  started.stdout.destroy()
  started.stderr.destroy()
  const said = { stdout: stdout.text, stderr: stderr.text }
  if (deadline.passed || end === undefined)
    return timedOut(said, `${name}: ended after ${limitMs / 1000} s: time limit`)
  return { code: exitStatus(end), ...said }
}

function notStarted(name: string, error: NodeJS.ErrnoException | undefined): Outcome {
  if (error?.code === 'ENOENT') return { code: NOT_FOUND, stdout: '', stderr: `${name}: not found in PATH` }
  const reason =
    error?.code === 'EACCES'
      ? 'may not be executed (permission denied)'
      : `could not be started: ${error?.message ?? 'no reason was given'}`
  return { code: NOT_EXECUTABLE, stdout: '', stderr: `${name}: ${reason}` }
}

function timedOut({ stdout, stderr }: Omit<Outcome, 'code'>, sentence: string): Outcome {
  return { code: TIMED_OUT, stdout, stderr: stderr === '' ? sentence : `${stderr.trimEnd()}\n${sentence}` }
}

/** What a stream says, up to a limit; the rest is read and dropped: a full pipe would stop the program half way. */
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
