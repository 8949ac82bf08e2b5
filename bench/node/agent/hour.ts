// Loaded into a contender that is a Node.js program, before the program: at SIGUSR2 an hour passes. The clock jumps, and
// every timer of ten seconds or more is over.

const HOUR_MS = 3_600_000
/** A little more, so that what is due every hour is due. */
const JUMP_MS = HOUR_MS + 60_000
const LONG_MS = 10_000

type Callback = (...args: unknown[]) => void

const real = { now: Date.now, set: globalThis.setTimeout, clear: globalThis.clearTimeout }
const long = new Map<unknown, () => void>()
let passed = 0

function set(callback: Callback, ms = 0, ...args: unknown[]): unknown {
  const timer = real.set(() => {
    long.delete(timer)
    callback(...args)
  }, ms)
  if (ms >= LONG_MS) long.set(timer, () => callback(...args))
  return timer
}

function clear(timer: Parameters<typeof real.clear>[0]): void {
  long.delete(timer)
  real.clear(timer)
}

Object.assign(globalThis, { setTimeout: set, clearTimeout: clear })
Date.now = () => real.now() + passed

process.on('SIGUSR2', () => {
  passed += JUMP_MS
  const due = [...long]
  long.clear()
  for (const [timer, callback] of due) {
    real.clear(timer as Parameters<typeof real.clear>[0])
    callback()
  }
})
