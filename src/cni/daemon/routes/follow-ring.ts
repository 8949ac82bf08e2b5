import type { RingStore } from '#ipam/ring/member.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { Refusal } from '#kubernetes/watch/failures.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'

// The stored ring → each state of it, a moment after it was written. It is one object for all nodes, so the more nodes there are,
// the longer each of them waits before it reads and before it asks for the next change.

export interface FollowRingParts {
  readonly store: Pick<RingStore, 'read'>
  /** Resolves when the stored version is another, or when there is no more to be heard. Rejects where there can be no watch. */
  readonly watch: (version: string, signal: AbortSignal) => Promise<'changed' | 'ended'>
  readonly give: (ring: Ring) => void
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly log: Log
  readonly signal: AbortSignal
}

/** Times the nodes of the ring: so all together read it no more than 500 times a second. */
const EACH_NODE_MS = 2
const LEAST_PAUSE_MS = 100
/** Where there can be no watch. */
const READ_EVERY_MS = 10_000
const FIRST_AGAIN_MS = 1000
/** A watch that ends sooner, and without a change, did not work. */
const SHORT_WATCH_MS = 1000

/** Resolves when the signal has aborted. */
export async function followRing(parts: FollowRingParts): Promise<void> {
  const follower = new RingFollower(parts)
  while (!parts.signal.aborted) await follower.turn()
}

class RingFollower {
  readonly #parts: FollowRingParts
  #failures = 0
  #isUnread = false
  #isUnwatched = false

  constructor(parts: FollowRingParts) {
    this.#parts = parts
  }

  async turn(): Promise<void> {
    const { store, give, log } = this.#parts
    try {
      const { ring, version } = await store.read()
      this.#isUnread = false
      if (ring !== undefined) give(ring)
      await this.#change(version, (ring?.peers.length ?? 0) * EACH_NODE_MS)
    } catch (error) {
      if (!this.#isUnread) log.error('The ring cannot be read', error, { next: 'routes stay as they are' })
      this.#isUnread = true
      await this.#again()
    }
  }

  async #change(version: string, spreadMs: number): Promise<void> {
    const { watch, clock, random, log, signal } = this.#parts
    await clock.sleep(Math.max(LEAST_PAUSE_MS, spreadMs), signal)
    if (signal.aborted) return
    const since = clock.now()
    try {
      const outcome = await watch(version, signal)
      if (outcome === 'ended' && clock.now() - since < SHORT_WATCH_MS) return await this.#again()
      this.#failures = 0
      this.#isUnwatched = false
      if (outcome === 'changed') await clock.sleep(random() * spreadMs, signal)
    } catch (error) {
      if (error instanceof Refusal && !this.#isUnwatched) {
        const next = `it is read every ${READ_EVERY_MS / 1000}s, and routes come so much later`
        log.warning('The ring cannot be watched', { err: error.message, next })
        this.#isUnwatched = true
      }
      await this.#again()
    }
  }

  async #again(): Promise<void> {
    const { clock, random, signal } = this.#parts
    const pauseMs = Math.min(READ_EVERY_MS, FIRST_AGAIN_MS * 2 ** Math.min(this.#failures++, 10))
    await clock.sleep(pauseMs * (0.5 + random()), signal)
  }
}
