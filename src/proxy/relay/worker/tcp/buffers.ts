// What sockets of this worker read into. A byte costs least where much is read at a time (measured: 1.0 s of CPU for a
// gigabyte through `pipe`, 0.65 s in pieces of 64 KiB, 0.4 s in pieces of 1 MiB), and a connection that waits should take no memory.

/** All quiet sockets read into this one, and what they read is copied: waiting costs no memory. */
export const QUIET = Buffer.allocUnsafeSlow(16 * 1024)

const LARGE_BYTES = 1024 * 1024
/** A slow client keeps the buffer it has not emptied yet, so the number of large ones is limited. */
const MOST_LARGE = 32
const SMALL_BYTES = 64 * 1024
const MOST_SPARE = 8

const spare: Buffer[] = []
let large = 0

/** For a socket that sends much, for itself alone until it gives it back. */
export function takeBuffer(): Buffer {
  if (large >= MOST_LARGE) return Buffer.allocUnsafeSlow(SMALL_BYTES)
  large++
  return spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
}

export function giveBack(buffer: Buffer): void {
  if (buffer.length < LARGE_BYTES) return
  large--
  if (spare.length < MOST_SPARE) spare.push(buffer)
}
