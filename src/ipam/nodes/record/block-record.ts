import type { Cidr } from '#values/cidr.ts'
import { HeldRanges } from '../blocks/held-ranges.ts'

// Which node holds which blocks, as one value that every controller reads and that is changed by compare-and-swap: two
// controllers that both take themselves for the leader cannot give one block twice.

export interface BlockRecord {
  /** In the order in which they came to their addresses. */
  readonly holders: readonly BlockHolder[]
  /** The block of each family that was given last: the search for the next one goes on behind it. */
  readonly last: readonly Cidr[]
  /** Grows with each write, so that no write leaves the stored version as it was. */
  readonly revision: number
}

export interface BlockHolder {
  /** The node's name. */
  readonly name: string
  /** Of the Node object: a node that is made anew under the same name is another one. */
  readonly uid: string
  /** As in `spec.podCIDRs`. */
  readonly blocks: readonly Cidr[]
  /** In milliseconds since 1970: from then on its Node object is known to be deleted. Its pods may still run. */
  readonly goneSince?: number
  /** An earlier holder has some of the addresses, too: another program has set them in both Node objects. */
  readonly contested?: true
}

/** What must never be, one sentence each: looked at before every write, and after every read. */
export function recordFaults({ holders }: Pick<BlockRecord, 'holders'>): readonly string[] {
  const faults: string[] = []
  const held = new HeldRanges(holders.flatMap(({ blocks }) => blocks))
  const uids = new Map<string, string>()
  for (const { name, uid, blocks, contested } of holders) {
    const twin = uids.get(uid)
    if (twin !== undefined) faults.push(`nodes ${twin} and ${name} have the uid ${uid}`)
    uids.set(uid, name)
    if (contested) continue
    for (const block of blocks) {
      const other = held.holderOf(block)
      if (other !== undefined) faults.push(`${block} of node ${name} has addresses of node ${other}`)
    }
    for (const block of blocks) held.hold(block, name)
  }
  return faults
}
