import { systemClock } from '#system/clock.ts'

// What is to be checked inside the machine: a stage that is set once, and checks that play on it one after the other.

export interface Suite {
  readonly title: string
  readonly checks: readonly string[]
  /** Reports each check as it ends; nothing it does is thrown. */
  play(report: (result: Result) => void): Promise<void>
}

export interface Result {
  readonly suite: string
  readonly check: string
  readonly ms: number
  /** What was wrong; absent where all was well. */
  readonly error?: string
}

interface Script<Stage> {
  open(): Promise<Stage>
  close(stage: Stage): Promise<void>
  readonly checks: Readonly<Record<string, (stage: Stage) => Promise<void>>>
}

export function suite<Stage>(title: string, { open, close, checks }: Script<Stage>): Suite {
  return {
    title,
    checks: Object.keys(checks),
    async play(report) {
      const opened = await settled(open)
      for (const [check, run] of Object.entries(checks)) {
        const startedAt = performance.now()
        const ended = opened.ok ? await settled(() => within(LIMIT_MS, run(opened.value))) : { ...opened }
        if (!opened.ok) opened.error = UNSET
        const ms = Math.round(performance.now() - startedAt)
        report({ suite: title, check, ms, ...(!ended.ok && { error: ended.error }) })
      }
      if (opened.ok) await settled(() => close(opened.value))
    },
  }
}

/** Far more than any check takes; one that waits for ever must not keep the others from being reported. */
const LIMIT_MS = 300_000

async function within<T>(ms: number, task: Promise<T>): Promise<T> {
  const late = new AbortController()
  const limit = systemClock.sleep(ms, late.signal).then((): never => {
    throw new Error(`it did not end within ${ms / 1000} s`)
  })
  return await Promise.race([task, limit]).finally(() => late.abort())
}

/** The error of every check but the first, whose error says why. */
const UNSET = 'the stage could not be set'

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; error: string }

async function settled<T>(task: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await task() }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
