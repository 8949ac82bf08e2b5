import { merged } from '#ipam/ring/changes.ts'
import type { RingInit } from '#ipam/ring/division.ts'
import { minus } from '#ipam/ring/journal.ts'
import { RingMember, type RingStore } from '#ipam/ring/member.ts'
import { addressAt, isSame, type Ring, type RingPeer, type RingRange } from '#ipam/ring/ring.ts'
import { ringText } from '#ipam/ring/ring-text.ts'
import type { Clock } from '#system/ports.ts'
import { idleRanges } from './idle-ranges.ts'
import { PeerWatch } from './peer-watch.ts'
import type { AddressStretch, MyRanges, RangeSource, RangesChange, RangesMemory } from './range-source.ts'
import { RingMemory, type RingMemoryParts } from './ring-memory.ts'
import { within } from './ring-sets.ts'
import { whyNone } from './why-none.ts'

// The ring → the ranges of this node. It joins, asks, gives, gives back, and takes over what belonged to a node that is gone.

export interface RingSourceParts extends Omit<RingMemoryParts, 'memory'> {
  readonly nodeName: string
  /** Asked once, when the ring is first reached. */
  readonly init: () => Promise<RingInit>
  readonly memory: RangesMemory
  readonly store: RingStore
  /** Of a Node as the API server has it now; undefined where there is none. */
  readonly uidOf: (name: string) => Promise<string | undefined>
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly limits?: Partial<RingLimits>
}

export interface RingLimits {
  /** How often the nodes behind this one in the ring are asked for. */
  readonly watchMs: number
  /** For so long a Node must be gone before its addresses are taken over: its last pods may still run. */
  readonly goneMs: number
  /** For so long nothing of a range must be used before it goes back. */
  readonly idleMs: number
  /** A peer that does not answer for so long is not asked again. */
  readonly answerMs: number
  /** Of addresses in one donation. */
  readonly leastDonation: number
}

export const RING_LIMITS: RingLimits = {
  watchMs: 60_000,
  goneMs: 60_000,
  idleMs: 600_000,
  answerMs: 30_000,
  leastDonation: 4,
}

/** Asked for by a node that comes when the ring is divided. */
const JOIN_ADDRESSES = 64

export class RingSource implements RangeSource {
  readonly name = 'ring'
  readonly #parts: RingSourceParts
  readonly #limits: RingLimits
  readonly #memory: RingMemory
  #init: RingInit | undefined
  #member: { readonly of: RingPeer; readonly does: RingMember } | undefined
  #ring: Ring | undefined
  /** The peer that is asked for addresses, and since when. */
  #asked: { readonly of: string; readonly at: number } | undefined
  #seen = -1
  /** What was usable when it was last reported: what comes as an answer to a request is reported with the next look. */
  #reported: readonly RingRange[] | undefined
  /** What was taken from this node and is not reported yet: whichever call sees it, its pods may meet others there. */
  #lost: readonly RingRange[] = []
  readonly #watch: PeerWatch
  /** Since when nothing of it is used. */
  #idle: ReadonlyMap<string, number> = new Map()

  constructor(parts: RingSourceParts) {
    this.#parts = parts
    this.#limits = { ...RING_LIMITS, ...parts.limits }
    this.#memory = new RingMemory(parts)
    this.#watch = new PeerWatch({ ...parts, ...this.#limits })
  }

  mine(): MyRanges {
    return this.#memory.mine()
  }

  async refresh(): Promise<RangesChange> {
    const before = this.#memory.usable()
    const { nodeName, uidOf, memory, clock } = this.#parts
    memory.endCooldowns(clock.now())
    const uid = await uidOf(nodeName)
    if (uid === undefined) {
      const why = `there is no Node ${nodeName}: kubelet makes it, or --hostname-override names another`
      if (this.#memory.record() === undefined) this.#memory.begin('')
      this.#memory.stop(why)
      this.#memory.explain(why)
      return this.#change(before)
    }
    this.#init ??= await this.#parts.init()
    await this.#takePart({ name: nodeName, uid }, this.#init)
    if (this.#ring !== undefined) this.#ring = await this.#watch.takeOver(this.#ring, this.#member!)
    this.#keepSeen()
    return this.#change(before)
  }

  /** A node whose Node object is gone asks for nothing. */
  async more(addresses: number): Promise<'asked' | 'never'> {
    const { clock } = this.#parts
    if (this.#memory.record()?.isDeleted || this.#member === undefined) return 'never'
    const member = this.#must()
    const asked = this.#ring?.requests.find(one => isSame(one, this.#member!.of))
    const isLate =
      asked !== undefined && asked.of === this.#asked?.of && clock.now() - this.#asked.at >= this.#limits.answerMs
    this.#ring = (await member.request(addresses, isLate ? asked.of : undefined)).ring
    const of = this.#ring?.requests.find(one => isSame(one, this.#member!.of))?.of
    if (of === undefined) this.#asked = undefined
    else if (of !== this.#asked?.of || isLate) this.#asked = { of, at: clock.now() }
    return 'asked'
  }

  /** Of stretches beside the one that this node lives in, those that have not been used for a while. */
  async takeBack(): Promise<readonly AddressStretch[]> {
    const { clock } = this.#parts
    if (this.mine().sets.length === 0) return []
    const idle = idleRanges(this.#memory.usable(), ranges => this.#memory.freeIn(ranges))
    const keys = new Map(idle.map(range => [`${range.start} ${range.end}`, range]))
    this.#idle = new Map([...keys.keys()].map(key => [key, this.#idle.get(key) ?? clock.now()]))
    const given: RingRange[] = []
    for (const [key, range] of keys) {
      if (clock.now() - this.#idle.get(key)! < this.#limits.idleMs) continue
      if (await this.#must().giveBack(range)) given.push(range)
    }
    return this.#shown(given)
  }

  async #takePart(peer: RingPeer, init: RingInit): Promise<void> {
    const record = this.#memory.record()
    const before = record === undefined ? undefined : { name: peer.name, uid: record.uid }
    const member = this.#memberFor(peer, init)
    // The same machine under a new Node: pods on it are all that have addresses of the old one.
    if (before !== undefined && before.uid !== '' && before.uid !== peer.uid) await member.takeOver(before)
    this.#memory.begin(peer.uid)
    let learned = await member.look()
    const isThere = learned.ring?.peers.some(one => isSame(one, peer)) ?? false
    const isDivided = (learned.ring?.tokens.length ?? 0) > 0
    if (isThere && isDivided) {
      learned = await member.serve()
      if (learned.ring !== undefined && merged(learned.ring, peer) !== learned.ring) learned = await member.join()
    } else if (!(isThere && init.mode === 'observer')) {
      learned = await member.join(JOIN_ADDRESSES)
    }
    this.#ring = learned.ring
    this.#memory.explain(whyNone({ range: this.#parts.range, ring: this.#ring, peer, init }))
  }

  #keepSeen(): void {
    if (this.#ring === undefined || this.#ring.revision === this.#seen) return
    this.#parts.memory.saveSeen({ text: ringText(this.#ring), at: this.#parts.clock.now() })
    this.#seen = this.#ring.revision
  }

  #memberFor(peer: RingPeer, init: RingInit): RingMember {
    if (this.#member !== undefined && isSame(this.#member.of, peer)) return this.#member.does
    const { range, store, clock, random } = this.#parts
    const does = new RingMember({
      ...{ peer, range, init, store, clock, random },
      journal: this.#memory,
      freeIn: ranges => this.#memory.freeIn(ranges),
      leastDonation: this.#limits.leastDonation,
      lost: ranges => {
        this.#lost = [...this.#lost, ...ranges]
      },
    })
    this.#member = { of: peer, does }
    return does
  }

  #must(): RingMember {
    if (this.#member === undefined) throw new Error('this node takes no part in the ring yet')
    return this.#member.does
  }

  /** Of these, what pods could have. */
  #shown(ranges: readonly RingRange[]): readonly AddressStretch[] {
    return within(ranges, this.#parts.subnet).map(({ start, end }) => ({
      first: addressAt(start),
      last: addressAt(end - 1),
    }))
  }

  #change(before: readonly RingRange[]): RangesChange {
    const now = this.#memory.usable()
    const gained = this.#shown(differing(now, this.#reported ?? before))
    this.#reported = now
    const lost = this.#shown(this.#lost)
    this.#lost = []
    return { gained, lost }
  }
}

function differing(ranges: readonly RingRange[], others: readonly RingRange[]): readonly RingRange[] {
  return ranges.flatMap(range => minus(range, others))
}
