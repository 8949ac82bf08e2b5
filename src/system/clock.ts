import type { Clock } from './ports.ts'

// The machine's own time.

/** setTimeout takes 32 bits; a longer time would be over at once. */
const LONGEST_TIMER_MS = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && signal?.aborted !== true; left -= LONGEST_TIMER_MS) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal)
    }
  },
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    const wake = () => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timeout = setTimeout(wake, ms)
    signal?.addEventListener('abort', wake)
  })
}
