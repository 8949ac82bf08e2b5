import { type Journal, minus, NOTHING_KNOWN } from '#ipam/ring/journal.ts'
import type { JournalStore } from '#ipam/ring/member.ts'
import { addressAt, type OwnedRange, type RingRange } from '#ipam/ring/ring.ts'
import { addressNumber } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import type { MyRanges, RangesMemory } from './range-source.ts'
import { type RingRecord, recordOf, recordText } from './ring-record.ts'
import { freeStretches, setsOfStretches, within } from './ring-sets.ts'

// The journal of a member of the ring, kept beside the leases: with each change of it, the ranges that plugins give addresses
// from change in the same transaction.

export interface RingMemoryParts {
  readonly memory: Pick<RangesMemory, 'load' | 'save' | 'takenIn'>
  readonly range: Cidr
  /** Pods get addresses of this part alone. */
  readonly subnet: Cidr
}

export class RingMemory implements JournalStore {
  readonly #parts: RingMemoryParts

  constructor(parts: RingMemoryParts) {
    this.#parts = parts
  }

  /** Undefined where nothing is remembered of a ring of this range. */
  record(): RingRecord | undefined {
    const known = this.#parts.memory.load()
    const record = known?.source === 'ring' ? recordOf(known.record) : undefined
    return record?.range === this.#parts.range ? record : undefined
  }

  mine(): MyRanges {
    const known = this.#parts.memory.load()
    return this.record() === undefined ? { sets: [], why: 'the ring was not read yet' } : known!
  }

  load(): Journal {
    return this.record()?.journal ?? NOTHING_KNOWN
  }

  save(journal: Journal): void {
    this.#keep({ ...this.#known(), journal })
  }

  /** What was written down under another uid is still there to be taken over. */
  begin(uid: string): void {
    const { isDeleted, ...known } = this.#known()
    if (known.uid !== uid || isDeleted || this.record() === undefined) this.#keep({ ...known, uid })
  }

  /** The Node object is gone: others may take over what is ours at any time. */
  stop(why: string): void {
    const known = this.record()
    if (known !== undefined && !known.isDeleted) this.#keep({ ...known, isDeleted: true }, why)
  }

  /** Why there is no range, in words that may change while there is none. */
  explain(why: string): void {
    const known = this.#known()
    if (this.mine().sets.length === 0 && this.mine().why !== why) this.#keep(known, why)
  }

  usable(): readonly OwnedRange[] {
    const { ranges, fences } = this.load()
    return ranges.flatMap(range => minus(range, fences))
  }

  /** Of these ranges, what no pod and no gateway has. */
  freeIn(ranges: readonly RingRange[]): readonly RingRange[] {
    const gateway = this.record()?.gateway
    const own = gateway === undefined ? [] : [Number(addressNumber(gateway))].map(at => ({ start: at, end: at + 1 }))
    return freeStretches(ranges, range => {
      const inside = own.filter(({ start }) => start >= range.start && start < range.end)
      return [...this.#parts.memory.takenIn(range), ...inside].sort((a, b) => a.start - b.start)
    })
  }

  #known(): RingRecord {
    return this.record() ?? { range: this.#parts.range, uid: '', journal: NOTHING_KNOWN }
  }

  #keep(record: Partial<RingRecord> & Pick<RingRecord, 'range' | 'uid'>, why = this.mine().why): void {
    const { memory, subnet } = this.#parts
    const next: RingRecord = { journal: NOTHING_KNOWN, ...record }
    const { ranges, fences } = next.journal
    const usable = within(next.isDeleted ? [] : ranges.flatMap(range => minus(range, fences)), subnet)
    const gateway = this.#gateway(next, usable)
    const sets = gateway === undefined ? [] : setsOfStretches(usable, { subnet, gateway })
    const reason = sets.length > 0 ? '' : why || 'the ring has no addresses of this node'
    const kept = gateway === undefined ? next : { ...next, gateway }
    memory.save({ source: 'ring', record: recordText(kept), sets, why: reason })
  }

  /** Pods have it for as long as they run, so it changes only where it is ours no longer. */
  #gateway({ gateway, journal }: RingRecord, usable: readonly RingRange[]) {
    const at = gateway === undefined ? undefined : Number(addressNumber(gateway))
    if (at !== undefined && journal.ranges.some(({ start, end }) => start <= at && at < end)) return gateway
    const free = freeStretches(usable, range => this.#parts.memory.takenIn(range))[0]
    return free === undefined ? undefined : addressAt(free.start)
  }
}
