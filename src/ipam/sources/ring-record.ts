import type { Journal } from '#ipam/ring/journal.ts'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What a node remembers of its part of the ring ⇄ text.

export interface RingRecord {
  /** What the ring divides: a record of another range says nothing. */
  readonly range: Cidr
  /** Of the Node object. */
  readonly uid: string
  readonly journal: Journal
  /** Absent until there is a range. */
  readonly gateway?: Address
  /** The Node object is gone: nothing is given, whatever the journal says. */
  readonly isDeleted?: true
}

export function recordText(record: RingRecord): string {
  return JSON.stringify(record)
}

/** Only the function above writes it. */
export function recordOf(text: string): RingRecord {
  return JSON.parse(text) as RingRecord
}
