import type { Clock } from '#system/ports.ts'

// A promise → the same, but not longer than a time, and not past an abort.

export interface PatienceParts {
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly withinMs: number
  /** Called when the time is over: what to say then. */
  readonly overdue: () => string
}

export async function patiently<T>(
  promise: Promise<T>,
  { clock, signal, withinMs, overdue }: PatienceParts,
): Promise<T> {
  const done = new AbortController()
  const end = (): void => done.abort()
  signal?.addEventListener('abort', end)
  const late = clock.sleep(withinMs, done.signal).then((): never => {
    signal?.throwIfAborted()
    throw new Error(overdue())
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    signal?.removeEventListener('abort', end)
    done.abort()
  }
}
