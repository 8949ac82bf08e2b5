import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HeldRanges } from '#ipam/nodes/blocks/held-ranges.ts'
import type { BlockHolder, BlockRecord } from '#ipam/nodes/record/block-record.ts'
import { recordOf, recordText } from '#ipam/nodes/record/record-text.ts'
import { type Address, addressFromNumber } from '#values/address.ts'
import { type Cidr, overlaps, prefixOf } from '#values/cidr.ts'

const RECORD: BlockRecord = {
  holders: [
    { name: 'node-1', uid: 'u1', blocks: ['10.244.0.0/24', 'fd00:10:244::/64'] as Cidr[] },
    { name: 'node-2', uid: 'u2', blocks: ['10.244.1.0/24'] as Cidr[], goneSince: 1_700_000_000_000 },
    { name: 'node-3', uid: 'u3', blocks: ['10.244.1.0/25'] as Cidr[], contested: true },
    { name: 'node-4', uid: 'u4', blocks: ['10.244.1.0/24'] as Cidr[], goneSince: 0, contested: true },
  ],
  last: ['10.244.1.0/24'] as Cidr[],
  revision: 7,
}

test('a line for each node', () => {
  expect(recordText(RECORD).split('\n')).toEqual([
    'revision 7',
    'last 10.244.1.0/24',
    'node-1 u1 10.244.0.0/24,fd00:10:244::/64',
    'node-2 u2 10.244.1.0/24 gone-since=2023-11-14T22:13:20.000Z',
    'node-3 u3 10.244.1.0/25 contested',
    'node-4 u4 10.244.1.0/24 gone-since=1970-01-01T00:00:00.000Z contested',
    '',
  ])
  expect(recordOf(recordText(RECORD))).toEqual(RECORD)
  const empty = { holders: [], last: [], revision: 1 }
  expect(recordOf(recordText(empty))).toEqual(empty)
})

test('a text that was cut off anywhere is no record', () => {
  const text = recordText(RECORD)
  for (let end = 0; end < text.length; end++) {
    const cut = recordOf(text.slice(0, end))
    // A cut behind a line is a shorter record, which the API server never makes: an object is stored as a whole.
    if (!text.slice(0, end).endsWith('\n') || end < 20) expect(typeof cut).toBe('string')
  }
})

test.each([
  ['', 'line 1: "" is not revision and a number'],
  ['revision 1\nlast 10.0.0.1/24\n', 'line 2: "last 10.0.0.1/24" is not last and the blocks that were given last'],
  ['revision 1\nlast -\na u1 10.0.0.0/33\n', 'line 3: "a u1 10.0.0.0/33" is not a node\'s name, uid and blocks'],
  [
    'revision 1\nlast -\na u1 10.0.0.0/24 what\n',
    'line 3: "a u1 10.0.0.0/24 what" is not a node\'s name, uid and blocks',
  ],
  ['revision 1\nlast -\na u1 -\n', 'line 3: "a u1 -" is not a node\'s name, uid and blocks'],
  ['revision 1\nlast -\na u1 10.0.0.0/24\nb u2 10.0.0.0/25\n', '10.0.0.0/25 of node b has addresses of node a'],
  ['revision 1\nlast -\na u1 10.0.0.0/24\nb u1 10.0.1.0/24\n', 'nodes a and b have the uid u1'],
])('of %j is said what is wrong', (text, sentence) => {
  expect(recordOf(text)).toBe(sentence)
})

test('5,000 nodes of two families, with long names, are two thirds of the size that an object may have', () => {
  const holders = Array.from({ length: 5000 }, (_, i): BlockHolder => {
    const v4 = addressFromNumber('ipv4', BigInt(10 * 2 ** 24 + i * 256))
    const v6 = addressFromNumber('ipv6', (0xfd00001002440000n + BigInt(i)) << 64n)
    const name = `ip-10-240-${i >> 8}-${i & 255}.eu-central-1.compute.internal`
    return {
      name,
      uid: `0b5d6c1e-5d1c-4f0a-9d5e-${String(i).padStart(12, '0')}`,
      blocks: [`${v4}/24`, `${v6}/64`] as Cidr[],
    }
  })
  const text = recordText({ holders, last: holders[4999]!.blocks, revision: 5000 })
  expect(text.length).toBeLessThan((2 / 3) * 2 ** 20)
  expect(recordOf(text)).toMatchObject({ revision: 5000 })
})

test('who holds addresses of a range is found as by comparing it with all', () => {
  const range = fc
    .tuple(fc.boolean(), fc.integer({ min: 0, max: 63 }), fc.integer({ min: 0, max: 6 }))
    .map(([isV4, at, bits]) =>
      isV4
        ? prefixOf(addressFromNumber('ipv4', BigInt(at)) as Address, 26 + bits)
        : prefixOf(addressFromNumber('ipv6', (0xfdn << 120n) + BigInt(at)), 122 + bits),
    )
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), fc.array(range, { maxLength: 8 }), (ranges, asked) => {
      const held = new HeldRanges([...ranges, ...asked])
      for (const one of ranges) held.hold(one, one)
      for (const one of asked) {
        const holders = ranges.filter(other => overlaps(other, one))
        const found = held.holderOf(one)
        if (holders.length === 0) expect(found).toBeUndefined()
        else expect(holders).toContain(found)
      }
    }),
  )
})
