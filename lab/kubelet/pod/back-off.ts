// How often something has failed → how long to wait before the next try.

const FIRST_MS = 10_000
const LONGEST_MS = 300_000

/** Of a container that has ended after so many restarts: the first one comes at once. */
export function restartDelay(restarts: number): number {
  return restarts === 0 ? 0 : Math.min(FIRST_MS * 2 ** (restarts - 1), LONGEST_MS)
}

/** It has run for so long that what was before counts no more. */
export const STEADY_AFTER_MS = 600_000

const SANDBOX_FIRST_MS = 500
const SANDBOX_LONGEST_MS = 30_000

/** Of a sandbox that was refused so many times. */
export function sandboxDelay(tries: number): number {
  return Math.min(SANDBOX_FIRST_MS * 2 ** (tries - 1), SANDBOX_LONGEST_MS)
}
