import { successors } from '#ipam/ring/changes.ts'
import type { RingMember } from '#ipam/ring/member.ts'
import type { Ring, RingPeer } from '#ipam/ring/ring.ts'
import type { Clock } from '#system/ports.ts'

// The nodes behind this one in the ring → what those had that are gone, this one takes over. A node is gone when its Node object
// is: one of another uid, or of none, for a while. One that only is not ready goes on giving what it has.

export interface PeerWatchParts {
  /** Of a Node as the API server has it now; undefined where there is none. */
  readonly uidOf: (name: string) => Promise<string | undefined>
  readonly watchMs: number
  readonly goneMs: number
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

export interface WatchingMember {
  readonly of: RingPeer
  readonly does: Pick<RingMember, 'takeOver'>
}

export class PeerWatch {
  readonly #parts: PeerWatchParts
  /** By uid: since when each has been gone. */
  readonly #gone = new Map<string, number>()
  #nextAt = 0

  constructor(parts: PeerWatchParts) {
    this.#parts = parts
  }

  /** The ring as it is then. */
  async takeOver(ring: Ring, { of, does }: WatchingMember): Promise<Ring> {
    const { clock, watchMs, random } = this.#parts
    if (clock.now() < this.#nextAt) return ring
    this.#nextAt = clock.now() + watchMs * (0.5 + random() / 2)
    let now = ring
    try {
      for (const other of successors(ring, of)) {
        if (!(await this.#isGone(other))) continue
        now = (await does.takeOver(other)).ring ?? now
        this.#gone.delete(other.uid)
      }
    } catch (error) {
      // The API server did not answer: with the next look, not a minute later.
      this.#nextAt = 0
      throw error
    }
    return now
  }

  async #isGone({ name, uid }: RingPeer): Promise<boolean> {
    // Named as a seed, and not there yet.
    if (uid === '') return false
    const { clock, uidOf, goneMs } = this.#parts
    const isThere = (await uidOf(name)) === uid
    if (isThere) {
      this.#gone.delete(uid)
      return false
    }
    const since = this.#gone.get(uid) ?? clock.now()
    this.#gone.set(uid, since)
    if (clock.now() - since >= goneMs) return true
    this.#nextAt = Math.min(this.#nextAt, since + goneMs)
    return false
  }
}
