import type { Clock } from './ports.ts'

// The machine's own time.

/** setTimeout takes a signed 32-bit number; a longer time would be over at once. */
const LONGEST_TIMER_MS = 2_147_483_647

export const systemClock: Clock = {
  now,
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

/** What to add to the fine clock, which counts from our own start, to get the time of day. */
let offset = 0
let latest = 0

/**
 * The time of day with microseconds; it follows when the clock of the machine is set, however far. The fine clock drifts
 * from the other by microseconds, many times a second: for that the time of day never goes back, because what began
 * after an event must not seem to have begun before it.
 */
function now(): number {
  const coarse = Date.now()
  const fine = performance.now() + offset
  const earliest = latest >= coarse && latest <= coarse + 1 ? latest : coarse
  latest = Math.min(Math.max(fine, earliest), coarse + 1)
  offset += latest - fine
  return latest
}
