import type { Clock } from '#system/ports.ts'
import type { Cidr } from '#values/cidr.ts'
import { denied, donated, joined, merged, neighbours, requested, takenOver, withoutRequest } from './changes.ts'
import { divided, type RingInit } from './division.ts'
import { type Gift, giftsFor } from './donation.ts'
import { donorOf } from './donors.ts'
import { type Journal, type Learned, learned, minus, withFence } from './journal.ts'
import {
  emptyRing,
  faultsOf,
  isSame,
  type OwnedRange,
  ownerOf,
  type Ring,
  type RingPeer,
  type RingRange,
  type RingRequest,
  rangesOf,
} from './ring.ts'

// One node's part in the ring. It gives addresses from what its journal has, whether or not the ring can be reached; what it
// gives away it stops using first, durably, and only then writes so.

export interface RingStore {
  /** Fails where it cannot be reached. */
  read(): Promise<StoredRing>
  /** `conflict`: another has written since. Where it fails, it may have been written all the same. */
  write(ring: Ring, before: StoredRing): Promise<{ readonly version: string } | 'conflict'>
}

export interface StoredRing {
  /** Undefined where there is none yet. */
  readonly ring: Ring | undefined
  readonly version: string
}

export interface JournalStore {
  load(): Journal
  /** Durable when it returns. */
  save(journal: Journal): void
}

export interface MemberParts {
  readonly peer: RingPeer
  readonly range: Cidr
  readonly init: RingInit
  readonly store: RingStore
  readonly journal: JournalStore
  /** Of these ranges, the stretches in which no address is leased or cools down. */
  readonly freeIn: (ranges: readonly RingRange[]) => readonly RingRange[]
  /** Of addresses in one donation; 1 if not said. */
  readonly leastDonation?: number
  /** Called as soon as it is seen that another took these over, whatever becomes of the call that saw it. */
  readonly lost?: (ranges: readonly OwnedRange[]) => void
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
}

export class RingUnusable extends Error {
  override readonly name = 'RingUnusable'
}

/** Writers that meet come apart: each waits a random time, up to twice as long after each meeting. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 3000
const TRIES = 60

export class RingMember {
  readonly #parts: MemberParts
  /** What this process is giving away. */
  #giving: readonly RingRange[] = []

  constructor(parts: MemberParts) {
    this.#parts = parts
  }

  /** Where addresses may be given from, whatever the ring says meanwhile. */
  usable(): readonly OwnedRange[] {
    const { ranges, fences } = this.#parts.journal.load()
    return ranges.flatMap(range => minus(range, fences))
  }

  /**
   * Takes part, divides the range once enough others do, and learns what is its own. Who comes when it is divided asks for so
   * many addresses in the same write.
   */
  async join(addresses = 0): Promise<Learned> {
    const { peer, init } = this.#parts
    return this.#change(ring => {
      const withUs = merged(init.mode === 'observer' ? ring : joined(ring, peer), peer)
      const isLate = addresses > 0 && ring.tokens.length > 0 && !ring.tokens.some(token => isSame(token, peer))
      return isLate ? this.#asking(withUs, addresses) : (divided(withUs, init) ?? withUs)
    })
  }

  /** Learns what is its own, and changes nothing. */
  async look(): Promise<Learned> {
    const stored = await this.#parts.store.read()
    const learned = this.#learn(stored)
    // A write of ours may yet arrive, and no other member writes: with one more write it no longer can.
    if (this.#giving.length > 0 || learned.journal.fences.length === 0) return learned
    return this.#change(ring => ({ ...ring }))
  }

  /**
   * Asks one of the others for addresses: the more a peer owns, the likelier it is asked. `unanswered` was asked long ago, and
   * counts as one that has none. What has come to this node meanwhile is learned instead: it may be enough.
   */
  async request(addresses: number, unanswered?: string): Promise<Learned> {
    const { peer, journal } = this.#parts
    const known = journal.load().ranges
    const hasCome = (ring: Ring) => rangesOf(ring, peer).some(range => minus(range, known).length > 0)
    return this.#change(ring => (hasCome(ring) ? ring : this.#asking(ring, addresses, unanswered)))
  }

  #asking(ring: Ring, addresses: number, unanswered?: string): Ring {
    const { peer, random } = this.#parts
    const donor = (except: readonly string[]) => donorOf(ring, { peer, except, random })
    const before = ring.requests.find(request => isSame(request, peer))
    const asked = [...new Set([...(before?.denied ?? []), ...(unanswered === undefined ? [] : [unanswered])])]
    const still = before?.of === unanswered ? undefined : before?.of
    const of = still || donor(asked) || donor([])
    if (of === undefined) return ring
    const exhausted = donor(asked) === undefined
    return requested(joined(ring, peer), { ...peer, addresses, of, denied: exhausted ? [] : asked })
  }

  async withdraw(): Promise<Learned> {
    return this.#change(ring => withoutRequest(ring, this.#parts.peer))
  }

  /** Gives to those that ask us, one block each and all in one write; where there is none to give, it says so. */
  async serve(): Promise<Learned> {
    const { peer, store, freeIn, leastDonation } = this.#parts
    const learned = this.#learn(await store.read())
    const asking = learned.ring?.requests.filter(({ of, name }) => of === peer.name && name !== peer.name) ?? []
    if (asking.length === 0) return learned
    const { gifts, refused } = giftsFor(asking, freeIn(this.usable()), leastDonation)
    await this.#give(gifts, refused)
    return this.look()
  }

  /** A range of which nothing is used goes back to who owns the addresses beside it. False where there is none. */
  async giveBack(range: RingRange): Promise<boolean> {
    const { peer } = this.#parts
    const { ring } = await this.look()
    const heir = ring && neighbours(ring, range).find(other => !isSame(other, peer))
    if (heir === undefined) return false
    return this.#give([{ range, to: heir }])
  }

  /** Of a node that is gone for good: its Node object is deleted, and its uid will not come again. */
  async takeOver(gone: RingPeer): Promise<Learned> {
    const { peer } = this.#parts
    return this.#change(ring => merged(takenOver(ring, gone, peer), peer))
  }

  /** True where the addresses went, all of them; they are used again where they did not. */
  async #give(gifts: readonly Gift[], refused: readonly RingRequest[] = []): Promise<boolean> {
    const { peer, journal, freeIn } = this.#parts
    this.#giving = gifts.map(({ range }) => range)
    try {
      const { ring } = await this.#change((before, version) => {
        const fenced = gifts.reduce((known, { range }) => withFence(known, { ...range, version }), journal.load())
        if (gifts.length > 0) journal.save(fenced)
        // What was given to a pod before the fence stood is not given to a peer.
        const isFree = (block: RingRange) =>
          freeIn([block]).some(({ start, end }) => start <= block.start && block.end <= end)
        const given = gifts
          .filter(({ range }) => isFree(range))
          .reduce((now, { range, to }) => donated(now, { from: peer, to, range }), before)
        return refused.reduce(denied, given)
      })
      return gifts.every(({ range, to }) => {
        const owner = ring && ownerOf(ring, range.start)
        return owner !== undefined && isSame(owner, to)
      })
    } finally {
      this.#giving = []
      // Where this fails, too, the fences stand until the ring can be read.
      await this.look().catch(() => undefined)
    }
  }

  /** Reads, changes and writes, until no other has written in between. */
  async #change(change: (ring: Ring, version: string) => Ring): Promise<Learned> {
    const { store, range, clock, random } = this.#parts
    for (let tries = 0, pause = FIRST_PAUSE_MS; tries < TRIES; tries++, pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const before = await store.read()
      const ring = before.ring ?? emptyRing(range)
      this.#refuse(ring)
      const changed = change(ring, before.version)
      if (changed === before.ring) return this.#learn(before)
      const after = { ...changed, revision: ring.revision + 1 }
      this.#refuse(after)
      const written = await store.write(after, before)
      if (written !== 'conflict') return this.#learn({ ring: after, version: written.version })
      await clock.sleep(random() * pause)
    }
    throw new RingUnusable(`the ring was changed by others ${TRIES} times in a row`)
  }

  #refuse(ring: Ring): void {
    const { range } = this.#parts
    if (ring.range !== range) throw new RingUnusable(`the ring divides ${ring.range}, this node is set to ${range}`)
    const [fault] = faultsOf(ring)
    if (fault !== undefined) throw new RingUnusable(`the ring is damaged: ${fault}`)
  }

  #learn({ ring, version }: StoredRing): Learned {
    if (ring !== undefined) this.#refuse(ring)
    const { journal, peer, lost } = this.#parts
    const before = journal.load()
    const outcome = learned({ before, ring, version, peer, giving: this.#giving })
    if (outcome.journal !== before) journal.save(outcome.journal)
    if (outcome.lost.length > 0) lost?.(outcome.lost)
    return outcome
  }
}
