import { ADDRESS_BITS, addressFromNumber, addressNumber, type Family } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, overlaps, prefixLength } from '#values/cidr.ts'
import { blockSize, type ClusterRange } from './cluster-ranges.ts'

// The range of one family → which of its blocks are free: a bit for each.

export interface BlockCounts {
  readonly total: number
  /** Blocks that no node gets, as they have addresses of Services. */
  readonly excluded: number
  /** Of the others. */
  readonly used: number
  readonly free: number
}

const WORD = 32
const FULL = 0xffff_ffff

export class BlockSet {
  readonly range: Cidr
  readonly #nodeMask: number
  readonly #family: Family
  readonly #start: bigint
  readonly #blockSize: bigint
  readonly #total: number
  /** Bits of the blocks that are used or excluded. */
  readonly #taken: Uint32Array
  readonly #excluded: Uint32Array
  /** Blocks that are held more than once: two ranges smaller than a block lie in it, or two nodes have it. */
  readonly #held = new Map<number, number>()
  #counts: { excluded: number; used: number } = { excluded: 0, used: 0 }
  #next = 0
  #passed = 0

  constructor(parts: ClusterRange) {
    this.range = parts.range
    this.#nodeMask = parts.nodeMask
    this.#family = cidrFamily(parts.range)
    this.#start = addressNumber(baseAddress(parts.range))
    this.#blockSize = blockSize(parts)
    this.#total = 2 ** (parts.nodeMask - prefixLength(parts.range))
    this.#taken = new Uint32Array(Math.ceil(this.#total / WORD))
    this.#excluded = new Uint32Array(this.#taken.length)
    for (const range of parts.excluded) {
      this.#eachBlock(range, at => {
        if (isSet(this.#excluded, at)) return
        set(this.#excluded, at)
        set(this.#taken, at)
        this.#counts.excluded++
      })
    }
  }

  get counts(): BlockCounts {
    const { excluded, used } = this.#counts
    return { total: this.#total, excluded, used, free: this.#total - excluded - used }
  }

  /** How many blocks that were taken the last search went past. */
  get passed(): number {
    return this.#passed
  }

  /** All blocks that have addresses of this range; false where none has. Each call needs a `release` of its own. */
  occupy(range: Cidr): boolean {
    return this.#eachBlock(range, at => {
      if (isSet(this.#excluded, at)) return
      if (isSet(this.#taken, at)) this.#held.set(at, (this.#held.get(at) ?? 1) + 1)
      else {
        set(this.#taken, at)
        this.#counts.used++
      }
    })
  }

  /** False where none of its blocks was held. */
  release(range: Cidr): boolean {
    let isHeld = false
    this.#eachBlock(range, at => {
      if (isSet(this.#excluded, at) || !isSet(this.#taken, at)) return
      isHeld = true
      const holds = this.#held.get(at) ?? 1
      if (holds > 2) this.#held.set(at, holds - 1)
      else if (holds === 2) this.#held.delete(at)
      else {
        clear(this.#taken, at)
        this.#counts.used--
      }
    })
    return isHeld
  }

  /** The search goes on behind this block: one that came back is given again as late as can be. */
  startBehind(block: Cidr): void {
    this.#eachBlock(block, at => {
      this.#next = (at + 1) % this.#total
    })
  }

  /** The next free block, which is held from now on; undefined where all are taken. */
  take(): Cidr | undefined {
    const at = this.#firstFree(this.#next, this.#total) ?? this.#firstFree(0, this.#next)
    if (at === undefined) return undefined
    this.#passed = (at - this.#next + this.#total) % this.#total
    set(this.#taken, at)
    this.#counts.used++
    this.#next = (at + 1) % this.#total
    const base = addressFromNumber(this.#family, this.#start + BigInt(at) * this.#blockSize)
    return `${base}/${this.#nodeMask}` as Cidr
  }

  #firstFree(from: number, end: number): number | undefined {
    for (let at = from; at < end; at++) {
      const isWordStart = at % WORD === 0
      if (isWordStart && this.#taken[at / WORD] === FULL) at += WORD - 1
      else if (!isSet(this.#taken, at)) return at
    }
    return undefined
  }

  /** False where the range lies outside. */
  #eachBlock(range: Cidr, visit: (at: number) => void): boolean {
    if (cidrFamily(range) !== this.#family || !overlaps(range, this.range)) return false
    if (prefixLength(range) <= prefixLength(this.range)) {
      for (let at = 0; at < this.#total; at++) visit(at)
      return true
    }
    const offset = addressNumber(baseAddress(range)) - this.#start
    const first = Number(offset / this.#blockSize)
    const size = 1n << BigInt(ADDRESS_BITS[this.#family] - prefixLength(range))
    const count = size <= this.#blockSize ? 1 : Number(size / this.#blockSize)
    for (let at = first; at < first + count; at++) visit(at)
    return true
  }
}

function isSet(words: Uint32Array, at: number): boolean {
  return (words[at >>> 5]! & (1 << (at & 31))) !== 0
}

function set(words: Uint32Array, at: number): void {
  words[at >>> 5]! |= 1 << (at & 31)
}

function clear(words: Uint32Array, at: number): void {
  words[at >>> 5]! &= ~(1 << (at & 31))
}
