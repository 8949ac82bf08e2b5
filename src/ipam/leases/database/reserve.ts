import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, statfsSync, statSync, truncateSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { LeaseStoreFailed } from '../store-failed.ts'
import { isNoRoom, noRoomLeft } from './fault.ts'

// Room on the disk that only the end of leases may use. The kubelet makes room by evicting pods, and without a DEL that goes
// through no pod is gone: a full disk would stay full.

/** A release writes some pages of the journal, which begins anew once all of it is in the database. */
export const RESERVE_BYTES = 256 * 1024
/** Given up bit by bit: the programs that filled the disk write to what is given up, too. */
const PART_BYTES = RESERVE_BYTES / 4

export class Reserve {
  readonly #database: string
  readonly #path: string
  #isSpending = false
  /** A write has found the disk full, and since then there was not enough room. */
  #wasFull = false

  constructor(database: string) {
    this.#database = database
    this.#path = `${database}-reserve`
  }

  /** Fails with LeaseStoreFailed where the disk is full, until all of the reserve is there again; not within `spend`. */
  require(): void {
    if (this.#isSpending || (!this.#wasFull && (this.#size() ?? 0) >= RESERVE_BYTES)) return
    if (this.#fill() === 'no room') throw noRoomLeft(this.#database)
    this.#wasFull = false
  }

  /** Of any write: where the disk is full, STATUS is to say so, and not the next pod. */
  failed(error: unknown): void {
    if (isFull(error)) this.#wasFull = true
  }

  /** Work that ends leases: it is tried again with more and more room, that of the journal first, which `tidy` empties. */
  spend<T>(work: () => T, tidy: () => void): T {
    const outer = this.#isSpending
    this.#isSpending = true
    try {
      for (let isTidied = false; ; isTidied = true) {
        try {
          return work()
        } catch (error) {
          if (!isFull(error) || (isTidied && !this.#giveUpPart())) throw error
          tidy()
        }
      }
    } finally {
      this.#isSpending = outer
    }
  }

  /** A database that is opened for changes: makes the reserve where there is none. */
  opened<T>(open: () => T): T {
    const opened = this.spend(open, () => {})
    if ((this.#size() ?? 0) < RESERVE_BYTES) this.#fill()
    return opened
  }

  /** Where a file system cannot be written at all, that is what the database will say. */
  #fill(): 'whole' | 'no room' | 'impossible' {
    try {
      const goal = this.#goal()
      const fd = openSync(this.#path, 'a', 0o600)
      try {
        // A file system that compresses keeps no room for zeros.
        for (let size = fstatSync(fd).size; size < goal; )
          size += writeSync(fd, randomBytes(Math.min(PART_BYTES, goal - size)))
      } finally {
        closeSync(fd)
      }
      return goal === RESERVE_BYTES ? 'whole' : 'no room'
    } catch (error) {
      return isNoRoom(error) ? 'no room' : 'impossible'
    }
  }

  /** What was given up and is not used, at the end of a process. */
  refill(): void {
    const size = this.#size()
    if (size !== undefined && size < RESERVE_BYTES) this.#fill()
  }

  /** The last part needs room for more: a disk that is full to the last bytes would be full and not full in turns. */
  #goal(): number {
    const { bfree, bsize } = statfsSync(dirname(this.#path))
    return bfree * bsize >= 2 * RESERVE_BYTES ? RESERVE_BYTES : RESERVE_BYTES - PART_BYTES
  }

  #giveUpPart(): boolean {
    const size = this.#size() ?? 0
    if (size === 0) return false
    try {
      truncateSync(this.#path, Math.max(0, size - PART_BYTES))
      return true
    } catch {
      return false
    }
  }

  /** Undefined where there is none. */
  #size(): number | undefined {
    return statSync(this.#path, { throwIfNoEntry: false })?.size
  }
}

function isFull(error: unknown): boolean {
  return error instanceof LeaseStoreFailed && error.fault === 'full'
}
