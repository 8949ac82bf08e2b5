import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BlockSet } from '#ipam/nodes/blocks/block-set.ts'
import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, overlaps, prefixLength, prefixOf } from '#values/cidr.ts'

const cidr = (text: string) => text as Cidr

function set(range: string, nodeMask: number, ...excluded: string[]): BlockSet {
  return new BlockSet({ range: cidr(range), nodeMask, excluded: excluded.map(cidr) })
}

test('blocks are given in turn, one that came back last of all, and then none', () => {
  const blocks = set('10.244.0.0/22', 24)
  expect([blocks.take(), blocks.take(), blocks.release(cidr('10.244.0.0/24')), blocks.take()]).toEqual([
    '10.244.0.0/24',
    '10.244.1.0/24',
    true,
    '10.244.2.0/24',
  ])
  expect([blocks.take(), blocks.take(), blocks.take()]).toEqual(['10.244.3.0/24', '10.244.0.0/24', undefined])
})

test('the search goes on behind the block that was given last', () => {
  const blocks = set('fd00:10:244::/60', 64)
  blocks.startBehind(cidr('fd00:10:244:e::/64'))
  expect([blocks.take(), blocks.take()]).toEqual(['fd00:10:244:f::/64', 'fd00:10:244::/64'])
})

test('a range outside occupies nothing', () => {
  const blocks = set('10.244.0.0/22', 24)
  expect(blocks.occupy(cidr('10.245.0.0/24'))).toBe(false)
  expect(blocks.occupy(cidr('fd00::/64'))).toBe(false)
  expect(blocks.counts).toEqual({ total: 4, excluded: 0, used: 0, free: 4 })
})

test('two ranges in one block: it is free when both are released', () => {
  const blocks = set('10.244.0.0/23', 24)
  blocks.occupy(cidr('10.244.0.0/25'))
  blocks.occupy(cidr('10.244.0.128/25'))
  expect(blocks.counts.used).toBe(1)
  blocks.release(cidr('10.244.0.0/25'))
  expect(blocks.take()).toBe('10.244.1.0/24')
  expect(blocks.take()).toBeUndefined()
  blocks.release(cidr('10.244.0.128/25'))
  expect(blocks.take()).toBe('10.244.0.0/24')
})

test('65,536 blocks are given one after another without looking at all of them each time', () => {
  const blocks = set('fd00:10:244::/48', 64, 'fd00:10:244:ff00::/56')
  const given = new Set<string>()
  for (let block = blocks.take(); block !== undefined; block = blocks.take()) given.add(block)
  expect(given.size).toBe(65_536 - 256)
  expect(blocks.counts).toEqual({ total: 65_536, excluded: 256, used: 65_280, free: 0 })
})

/** The same, as a list of ranges and a search through all blocks. */
class NaiveSet {
  readonly held: Cidr[] = []
  next = 0
  readonly blocks: readonly Cidr[]
  readonly excluded: readonly Cidr[]

  constructor(range: Cidr, nodeMask: number, excluded: readonly Cidr[]) {
    const start = addressNumber(baseAddress(range))
    const bits = BigInt((cidrFamily(range) === 'ipv4' ? 32 : 128) - nodeMask)
    this.blocks = Array.from({ length: 2 ** (nodeMask - prefixLength(range)) }, (_, i) =>
      cidr(`${addressFromNumber(cidrFamily(range), start + (BigInt(i) << bits))}/${nodeMask}`),
    )
    this.excluded = excluded
  }

  isFree(block: Cidr): boolean {
    return ![...this.held, ...this.excluded].some(range => overlaps(range, block))
  }

  take(): Cidr | undefined {
    const turn = [...this.blocks.slice(this.next), ...this.blocks.slice(0, this.next)]
    const block = turn.find(one => this.isFree(one))
    if (block === undefined) return undefined
    this.next = (this.blocks.indexOf(block) + 1) % this.blocks.length
    this.held.push(block)
    return block
  }

  free(): number {
    return this.blocks.filter(block => this.isFree(block)).length
  }
}

describe.each([
  ['IPv4', '10.244.0.0/20', 25, (at: bigint) => addressFromNumber('ipv4', (10n << 24n) + (244n << 16n) + at), 18, 27],
  [
    'IPv6',
    'fd00:10:244::/58',
    64,
    (at: bigint) => addressFromNumber('ipv6', (0xfd00001002440000n << 64n) + (at << 61n)),
    56,
    66,
  ],
] as const)('%s', (_, range, nodeMask, address, shortest, longest) => {
  const anyRange = fc
    .tuple(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: shortest, max: longest }))
    .map(([at, length]) => prefixOf(address(BigInt(at)) as Address, length))
  const step = fc.oneof(
    fc.constant({ verb: 'take' } as const),
    fc.record({ verb: fc.constant('occupy' as const), range: anyRange }),
    fc.record({ verb: fc.constant('release' as const), which: fc.nat() }),
  )

  test('gives and counts as a search through all blocks does', () => {
    fc.assert(
      fc.property(fc.array(anyRange, { maxLength: 2 }), fc.array(step, { maxLength: 60 }), (excluded, steps) => {
        const naive = new NaiveSet(cidr(range), nodeMask, excluded)
        const blocks = new BlockSet({ range: cidr(range), nodeMask, excluded })
        for (const one of steps) {
          if (one.verb === 'take') expect(blocks.take()).toBe(naive.take())
          else if (one.verb === 'occupy') {
            expect(blocks.occupy(one.range)).toBe(overlaps(one.range, cidr(range)))
            naive.held.push(one.range)
          } else if (naive.held.length > 0) {
            const [gone] = naive.held.splice(one.which % naive.held.length, 1)
            blocks.release(gone!)
          }
          expect(blocks.counts.free).toBe(naive.free())
          const { total, excluded: out, used, free } = blocks.counts
          expect(out + used + free).toBe(total)
        }
      }),
    )
  })
})
