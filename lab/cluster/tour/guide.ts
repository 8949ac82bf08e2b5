import type { Clock, Kernel } from '#system/ports.ts'
import type { Shell } from '../shell/commands.ts'
import type { Terminal } from '../terminal/terminal.ts'

// A sentence and a command line → the same on the terminal, with what the command really printed.

export interface GuideParts {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly shell: Shell
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

export interface Step {
  readonly say?: string
  readonly command: string
  /** It is tried again until its output is as it should be, which takes a moment after a change. */
  readonly until?: (stdout: string) => boolean
  /** For so long; a minute if absent. */
  readonly withinMs?: number
  /** So many lines are shown, and how many there are. */
  readonly most?: number
}

/** A machine that is busy needs longer, and a step that has failed is no surprise then. */
const PATIENCE_MS = 60_000
const PAUSE_MS = 100

export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** Why a step of it failed, where one did: flags may be such that it must, and a cluster is there all the same. */
export async function failedStep(tour: Promise<void>): Promise<string | undefined> {
  try {
    await tour
    return undefined
  } catch (error) {
    if (error instanceof StepFailed) return error.message
    throw error
  }
}

export class Guide {
  readonly #parts: GuideParts

  constructor(parts: GuideParts) {
    this.#parts = parts
  }

  say(paragraph: string): void {
    this.#parts.terminal.lines([''])
    this.#parts.terminal.say(paragraph)
  }

  /** Resolves with the output, and how long it took until it was as it should be. */
  async show({ say, most = 40, ...step }: Step): Promise<{ readonly stdout: string; readonly tookMs: number }> {
    const { terminal } = this.#parts
    if (say !== undefined) this.say(say)
    terminal.command(step.command)
    const shown = await this.quietly(step)
    const lines = shown.stdout.trimEnd().split('\n')
    const left = lines.length - most
    if (shown.stdout.trim() === '') return shown
    terminal.lines(left > 1 ? [...lines.slice(0, most), `… (${left} more lines)`] : lines)
    return shown
  }

  /** The same without a word. */
  async quietly({
    command,
    until,
    withinMs = PATIENCE_MS,
  }: Step): Promise<{ readonly stdout: string; readonly tookMs: number }> {
    const { kernel, clock, shell, signal } = this.#parts
    const began = clock.now()
    for (;;) {
      signal.throwIfAborted()
      const { code, stdout, stderr } = await kernel.run(shell.command(command))
      const tookMs = clock.now() - began
      if (code === 0 && (until?.(stdout) ?? true)) return { stdout, tookMs }
      if (until === undefined || tookMs > withinMs)
        throw new StepFailed(`${command}: ${stderr.trim() || `exit status ${code}, and it printed: ${stdout.trim()}`}`)
      await clock.sleep(PAUSE_MS, signal)
    }
  }
}
